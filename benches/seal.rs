//! Sealing and opening per second on one core, beside bare AES-256-GCM of the same library in the same minute.
//!
//! `cargo bench --bench seal`. It asks neither network nor database. Bare is the cipher alone: one key that is ready,
//! nonces that are counted up, the same buffer every time. Ours is what a row costs: a random nonce, the header, the
//! place as associated data, the hour's key, and bytes of its own. All take turns, a quarter of a second each, so that
//! whatever else the machine does meets all of them; each row says the median of nine turns.

#![expect(clippy::print_stdout, reason = "a load program prints what it measured")]

use std::{
    error::Error,
    hint::black_box,
    time::{Duration, Instant},
};

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use chrono::{DateTime, TimeDelta, Utc};
use consentry::{
    keys::seal::SealingKey,
    model::key::{Kid, Purpose},
    random,
};

type Outcome<T> = Result<T, Box<dyn Error>>;

/// The place of a row: a table, a column, and an id of sixteen bytes.
const PLACE: &[u8] = b"authenticator_apps sealed 0123456789abcdef";

const TURN: Duration = Duration::from_millis(250);
const TURNS: usize = 9;

/// What takes turns, and how many it did per second in each.
struct Measured<'a> {
    name: &'static str,
    act: Box<dyn FnMut() -> Outcome<()> + 'a>,
    per_second: Vec<f64>,
}

fn main() -> Outcome<()> {
    println!("| what | bytes | seal/s | of bare | open/s | of bare |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: |");
    for length in [64, 512, 4096] {
        measure(length)?;
    }
    Ok(())
}

fn measure(length: usize) -> Outcome<()> {
    let plain = vec![7; length];
    let now: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).ok_or("no time")?;
    let bare = LessSafeKey::new(UnboundKey::new(&AES_256_GCM, &random::bytes::<32>()).map_err(|_| "no key")?);
    let key = SealingKey::new(Kid(1), Purpose::SealData, random::bytes());
    let sealed = key.seal_for(PLACE, &plain, now, random::bytes())?;
    let mut bare_sealed = plain.clone();
    bare.seal_in_place_append_tag(nonce(0), Aad::from(PLACE), &mut bare_sealed).map_err(|_| "refused")?;

    let (mut number, mut buffer, mut to_open) =
        (0_u64, Vec::with_capacity(length + 16), Vec::with_capacity(length + 16));
    let mut hours = (8..100_000).cycle();
    let mut all = [
        Measured::of("bare seal", || {
            number += 1;
            buffer.clear();
            buffer.extend_from_slice(&plain);
            bare.seal_in_place_append_tag(nonce(number), Aad::from(PLACE), &mut buffer).map_err(|_| "refused")?;
            black_box(&buffer);
            Ok(())
        }),
        Measured::of("bare open", || {
            to_open.clear();
            to_open.extend_from_slice(&bare_sealed);
            black_box(bare.open_in_place(nonce(0), Aad::from(PLACE), &mut to_open).map_err(|_| "does not open")?);
            Ok(())
        }),
        Measured::of("seal", || {
            black_box(key.seal_for(PLACE, &plain, now, random::bytes())?);
            Ok(())
        }),
        Measured::of("open", || {
            black_box(key.open_from(PLACE, &sealed).ok_or("does not open")?);
            Ok(())
        }),
        Measured::of("an hour that no key is kept of", || {
            // Before the latest, which are the ones that are kept.
            let then = now - TimeDelta::hours(hours.next().unwrap_or(8));
            black_box(key.seal_for(PLACE, &plain, then, random::bytes())?);
            Ok(())
        }),
    ];
    for hour in 0..8 {
        key.seal_for(PLACE, &plain, now - TimeDelta::hours(hour), random::bytes())?;
    }
    for _ in 0..TURNS {
        for measured in &mut all {
            measured.take_turn()?;
        }
    }
    let [bare_seal, bare_open, seal, open, derived] = all.map(|mut measured| (measured.name, measured.median()));
    println!("| AES-256-GCM alone | {length} | {:.0} | 1 | {:.0} | 1 |", bare_seal.1, bare_open.1);
    println!(
        "| a row | {length} | {:.0} | {:.2} | {:.0} | {:.2} |",
        seal.1,
        seal.1 / bare_seal.1,
        open.1,
        open.1 / bare_open.1
    );
    println!("| {} | {length} | {:.0} | {:.2} | | |", derived.0, derived.1, derived.1 / bare_seal.1);
    Ok(())
}

impl<'a> Measured<'a> {
    fn of(name: &'static str, act: impl FnMut() -> Outcome<()> + 'a) -> Self {
        Self { name, act: Box::new(act), per_second: Vec::with_capacity(TURNS) }
    }

    #[expect(clippy::disallowed_methods, reason = "a load program measures real time")]
    fn take_turn(&mut self) -> Outcome<()> {
        let (begun, mut done) = (Instant::now(), 0_u32);
        while begun.elapsed() < TURN {
            // The clock is asked once for so many.
            for _ in 0..256 {
                (self.act)()?;
            }
            done += 256;
        }
        self.per_second.push(f64::from(done) / begun.elapsed().as_secs_f64());
        Ok(())
    }

    fn median(&mut self) -> f64 {
        self.per_second.sort_by(f64::total_cmp);
        self.per_second[TURNS / 2]
    }
}

fn nonce(number: u64) -> Nonce {
    let mut bytes = [0; 12];
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}

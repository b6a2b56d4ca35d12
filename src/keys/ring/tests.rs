//! The ring: which key makes what when, to the millisecond.

use chrono::TimeDelta;

use super::*;

fn at(milliseconds: i64) -> Timestamp {
    chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::milliseconds(milliseconds)
}

fn key(master: &MasterKey, purpose: Purpose, (from, until): (i64, Option<i64>)) -> WrappedKey {
    let row = new_key(master, (purpose, purpose.algorithm()), at(0), at(from)).unwrap();
    WrappedKey { retired_at: until.map(at), ..row }
}

#[test]
fn a_first_start_makes_a_complete_ring() {
    let master = MasterKey::new([1; 32]);
    let rows = first_keys(&master, at(0)).unwrap();
    let ring = Ring::unwrap(&[MasterKey::new([9; 32]), master], &rows, at(0));
    assert!(ring.lacking().is_empty() && ring.unreadable().is_empty());
    assert_eq!(ring.jwks().len(), 1);
    assert_eq!(ring.mac_at(at(0)).unwrap().kid, ring.mac().unwrap().kid);
}

#[test]
fn a_node_whose_clock_is_behind_uses_the_first_key_at_once() {
    let master = MasterKey::new([1; 32]);
    let rows = first_keys(&master, at(2000)).unwrap();
    let ring = Ring::unwrap(&[master], &rows, at(0));
    assert!(ring.lacking().is_empty());
    assert_eq!(ring.mac_at(at(0)).unwrap().kid, ring.mac_at(at(3000)).unwrap().kid);
}

#[test]
fn a_row_opens_only_in_its_own_place_and_under_its_own_master() {
    let master = MasterKey::new([1; 32]);
    let mut rows = first_keys(&master, at(0)).unwrap();
    let without = Ring::unwrap(&[MasterKey::new([2; 32])], &rows, at(0));
    assert_eq!(without.lacking().len(), Purpose::ALL.len());
    assert!(without.unreadable().iter().all(|row| matches!(row.error, KeyError::UnknownMaster { .. })));
    let code = rows.iter().position(|row| row.purpose == Purpose::SealCode).unwrap();
    let data = rows.iter().position(|row| row.purpose == Purpose::SealData).unwrap();
    rows[data].wrapped = rows[code].wrapped.clone();
    let ring = Ring::unwrap(&[master], &rows, at(0));
    assert_eq!(ring.lacking(), [Purpose::SealData], "the others are there all the same");
    assert!(matches!(ring.unreadable()[0].error, KeyError::Tampered(kid) if kid == rows[data].kid));
}

#[test]
fn one_key_takes_over_from_another_in_a_millisecond() {
    let master = MasterKey::new([1; 32]);
    let rows = [key(&master, Purpose::Mac, (0, Some(1000))), key(&master, Purpose::Mac, (1000, None))];
    let ring = Ring::unwrap(&[master], &rows, at(999));
    assert_eq!(ring.mac().unwrap().kid, rows[0].kid);
    assert_eq!(ring.at(at(1000)).mac().unwrap().kid, rows[1].kid);
    // What was answered before is answered again the same, whenever it is asked for.
    for now in [0, 999, 1000, 90_000] {
        let ring = ring.at(at(now));
        assert_eq!(ring.mac_at(at(999)).unwrap().kid, rows[0].kid);
        assert_eq!(ring.mac_at(at(1000)).unwrap().kid, rows[1].kid);
    }
    // Failures are counted on under the same label.
    assert_eq!(ring.at(at(90_000)).labelling().unwrap().kid, rows[0].kid);
    // Both open what they made, before and after.
    for row in &rows {
        assert!(ring.mac_of(row.kid).is_some() && ring.at(at(90_000)).mac_of(row.kid).is_some());
    }
}

#[test]
fn a_key_is_published_before_it_signs_and_until_it_is_not_needed() {
    let master = MasterKey::new([1; 32]);
    let mut rows = [key(&master, Purpose::Sign, (0, Some(1000))), key(&master, Purpose::Sign, (1000, None))];
    rows[0].needed_until = Some(at(5000));
    let ring = Ring::unwrap(&[master], &rows, at(0));
    let seen = |now: i64| {
        let ring = ring.at(at(now));
        (
            ring.signing(SigningAlgorithm::Es256).unwrap().kid() == rows[0].kid,
            ring.jwks().len(),
            ring.signing_of(rows[0].kid).is_some(),
        )
    };
    assert_eq!(seen(0), (true, 2, true));
    assert_eq!(seen(1000), (false, 2, true));
    assert_eq!(seen(4999), (false, 2, true));
    assert_eq!(seen(5000), (false, 1, false), "also before anybody has wiped it");
}

#[test]
fn a_key_that_is_replaced_before_it_began_never_makes_anything() {
    let master = MasterKey::new([1; 32]);
    // The second was to begin at 10,000; at 2,000 somebody had all replaced in haste.
    let rows = [
        key(&master, Purpose::Mac, (0, Some(5000))),
        key(&master, Purpose::Mac, (10_000, Some(5000))),
        key(&master, Purpose::Mac, (5000, None)),
    ];
    let ring = Ring::unwrap(&[master], &rows, at(2000));
    for (time, expected) in [(0, 0), (4999, 0), (5000, 2), (10_000, 2), (20_000, 2)] {
        assert_eq!(ring.mac_at(at(time)).unwrap().kid, rows[expected].kid, "{time}");
    }
}

#[test]
fn what_is_known_stays_known_when_its_row_is_wrapped_by_somebody_elses_master() {
    let (ours, theirs) = (MasterKey::new([1; 32]), MasterKey::new([2; 32]));
    let mut rows = first_keys(&ours, at(0)).unwrap();
    let masters = [ours];
    let ring = Ring::unwrap(&masters, &rows, at(0));
    for row in &mut rows {
        let material = master::unwrap(&masters, row).unwrap();
        theirs.wrap(row, &material, [7; 12]).unwrap();
    }
    rows.push(key(&theirs, Purpose::Mac, (1000, None)));
    let ring = ring.read_again(&masters, &rows, at(10));
    assert!(ring.lacking().is_empty());
    assert_eq!(ring.unreadable().iter().map(|row| row.kid).collect::<Vec<_>>(), [rows.last().unwrap().kid]);
    assert!(!ring.knows(rows.last().unwrap().kid));
}

#[test]
fn another_algorithm_signs_once_its_key_has_begun() {
    let master = MasterKey::new([1; 32]);
    let new = |algorithm, from| new_key(&master, (Purpose::Sign, algorithm), at(0), at(from)).unwrap();
    let rows = [new(KeyAlgorithm::Es256, 0), new(KeyAlgorithm::Rs256, 1000), new(KeyAlgorithm::EdDsa, 2000)];
    let ring = Ring::unwrap(std::slice::from_ref(&master), &rows, at(0));
    assert_eq!(ring.jwks().len(), 3, "all of them are published");
    let signs = |now: i64| {
        let ring = ring.at(at(now));
        let of = |algorithm| ring.signing(algorithm).unwrap().kid();
        [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa].map(of)
    };
    let kids = [rows[0].kid, rows[1].kid, rows[2].kid];
    assert_eq!(signs(999), [kids[0]; 3]);
    assert_eq!(signs(1000), [kids[0], kids[1], kids[0]]);
    assert_eq!(signs(2000), kids);
}

/// The key that makes new things for a purpose.
fn maker(ring: &Ring, purpose: Purpose) -> Option<Kid> {
    match purpose {
        Purpose::Sign => ring.signing(SigningAlgorithm::Es256).ok().map(SigningKey::kid),
        Purpose::Mac => ring.mac().ok().map(|key| key.kid),
        Purpose::Audit => ring.chaining().ok().map(|key| key.kid),
        _ => ring.sealing(purpose).ok().map(SealingKey::kid),
    }
}

#[test]
fn where_the_successor_does_not_open_the_key_before_it_goes_on_while_it_is_taken() {
    let (ours, theirs) = (MasterKey::new([1; 32]), MasterKey::new([2; 32]));
    for &purpose in Purpose::ALL {
        let old = WrappedKey { needed_until: Some(at(5000)), ..key(&ours, purpose, (0, Some(1000))) };
        let rows = [old, key(&theirs, purpose, (1000, None))];
        let ring = Ring::unwrap(std::slice::from_ref(&ours), &rows, at(0));
        let old = Some(rows[0].kid);
        // What rows keep is not sealed with it any more: it goes as soon as no row needs it.
        let after = if purpose == Purpose::SealData { None } else { old };
        for (now, expected) in [(0, old), (999, old), (1000, after), (4999, after), (5000, None)] {
            assert_eq!(maker(&ring.at(at(now)), purpose), expected, "{purpose:?} at {now}");
        }
        assert_eq!(ring.at(at(1000)).lacking().len(), Purpose::ALL.len(), "it is told all the same");
        // Once the successor opens, it is the one.
        let both = Ring::unwrap(&[MasterKey::new([1; 32]), MasterKey::new([2; 32])], &rows, at(1000));
        assert_eq!(maker(&both, purpose), Some(rows[1].kid));
    }
}

#[test]
fn a_key_that_never_began_does_not_go_on_in_the_place_of_its_successor() {
    let (ours, theirs) = (MasterKey::new([1; 32]), MasterKey::new([2; 32]));
    let rows = [
        key(&ours, Purpose::Audit, (0, Some(2000))),
        key(&ours, Purpose::Audit, (10_000, Some(2000))),
        key(&theirs, Purpose::Audit, (2000, None)),
    ];
    let ring = Ring::unwrap(&[ours], &rows, at(0));
    for now in [1999, 2000, 9999, 10_000, 90_000] {
        assert_eq!(maker(&ring.at(at(now)), Purpose::Audit), Some(rows[0].kid), "{now}");
    }
    let hour = IN_HAND.num_milliseconds();
    assert_eq!(maker(&ring.at(at(2000 + hour)), Purpose::Audit), Some(rows[0].kid));
    assert_eq!(
        maker(&ring.at(at(2001 + hour)), Purpose::Audit),
        None,
        "another node makes the links that are believed"
    );
}

//! `consentry key reseal`: everything that rows keep sealed, sealed with the key that seals now. It does the work where
//! no server is at it, and may be killed and begun again as often as one likes.

use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::{
    answer::{Answer, shown},
    desk::Desk,
    failure::Failure,
    flags::ConfigFlags,
    key,
};
use crate::{
    model::key::Kid,
    registry::{
        Registry,
        resealing::{self, Need, Turn},
    },
    store::reseals::{Reseal, SealedColumn},
};

/// How long it works before it says how far it is.
const LASTS: Duration = Duration::from_secs(2);

/// How long after one look at how others get on the next comes.
const INTERVAL: Duration = Duration::from_secs(1);

/// How many rows of each column are named that nobody can open.
const NAMED_MAX: u32 = 20;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Stay until it is done, also where a server is at it, and say on standard error how far it is
    #[arg(long)]
    follow: bool,
}

pub(super) async fn run(arguments: &Arguments, desk: &Desk, flags: &ConfigFlags) -> Result<Answer, Failure> {
    let keyring = key::open(desk, flags.master_keys()?).await?;
    let registry = desk.registry();
    while let Need::From(from) = resealing::need(&registry).await? {
        if !arguments.follow {
            let why = "the key that seals what rows keep is new, and a server may still seal with the one before";
            return Err(Failure::not_done(format!("{why}; do it after {}, or wait with --follow", shown(from))));
        }
        tokio::time::sleep(INTERVAL).await;
    }
    let ring = keyring.follow(&desk.store, desk.clock.now()).await?;
    let kid = resealing::begin(&registry, &ring).await?;
    loop {
        let ring = keyring.follow(&desk.store, desk.clock.now()).await?;
        match resealing::turn(&registry, &ring, LASTS).await? {
            Turn::Done(reseal) => return told(&registry, &reseal).await,
            Turn::GoesOn(reseal) => tell_how_far(arguments, &reseal),
            Turn::NotOurs => {
                let Some(reseal) = desk.store.reseal(kid).await? else { return Err(overtaken(kid)) };
                if reseal.finished_at.is_some() || !arguments.follow {
                    return told(&registry, &reseal).await;
                }
                tell_how_far(arguments, &reseal);
                tokio::time::sleep(INTERVAL).await;
            }
        }
    }
}

fn overtaken(kid: Kid) -> Failure {
    Failure::not_done(format!("another key has taken over from {kid} meanwhile; begin again"))
}

fn tell_how_far(arguments: &Arguments, reseal: &Reseal) {
    if arguments.follow {
        let Reseal { resealed, remaining, progress, .. } = reseal;
        eprintln!("{}: {resealed} sealed anew, {remaining} left", progress.place.name());
    }
}

async fn told(registry: &Registry<'_>, reseal: &Reseal) -> Result<Answer, Failure> {
    let Reseal { kid, progress, resealed, remaining, finished_at, .. } = reseal;
    let mut unreadable = Vec::new();
    if finished_at.is_some() && progress.unreadable > 0 {
        for column in SealedColumn::ALL {
            let rows = registry.store.rows_sealed_otherwise(*column, *kid, NAMED_MAX).await?;
            unreadable.extend(rows.into_iter().map(|row| (column.name(), row)));
        }
    }
    let json = json!({
        "kid": kid.to_string(),
        "started_at": shown(reseal.started_at),
        "place": progress.place.name(),
        "seen": progress.seen,
        "resealed": resealed,
        "unreadable": progress.unreadable,
        "unreadable_rows": unreadable.iter().map(|(column, row)| json!({ "column": column, "row": row })).collect::<Vec<_>>(),
        "left": if finished_at.is_some() { &0 } else { remaining },
        "finished_at": finished_at.map(shown),
    });
    let mut lines = Vec::new();
    if finished_at.is_some() {
        lines.push(format!("Everything that opens is sealed with the key {kid}; {resealed} values were sealed anew."));
        if progress.unreadable > 0 {
            lines.push(format!("{} open under no key, and stay as they are:", progress.unreadable));
            lines.extend(unreadable.iter().map(|(column, row)| format!("  {column} of {row}")));
        }
        lines.push("Keys of before are wiped by a server, an hour after they were replaced or later.".to_owned());
    } else {
        lines.push(format!(
            "A server is at it: {resealed} values are sealed anew with the key {kid}, {remaining} are left."
        ));
        lines.push("Stay with it by --follow.".to_owned());
    }
    lines.push("To seal with a new key: consentry key rotate --purpose seal-data, and then this again.".to_owned());
    Ok(Answer { json, text: lines.join("\n") })
}

//! Whether somebody may connect, and with what: what they were asked, against what the rules that name them let them
//! grant. Which rules those are is found where the people are (`store::access`): the same words decide it at consent, at
//! the code and at every refresh.

use crate::model::{access::Grants, scope::Scopes};

/// Why a request came to nothing, for the owner.
pub const CLOSED: &str = "The plugin does not let the person who signed in connect: no rule of who may connect names them for what is asked.";

/// And why a connection goes on no more, or a code is worth nothing.
pub const SHUT_OUT: &str = "The plugin does not let this person connect any more: the rules of who may connect, a group, or their address have \
     changed. Or every scope that the connection was for was taken back, from its client or by the person.";

/// What becomes of a request of somebody who is signed in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Admission {
    /// They may be asked.
    Open {
        /// What of it is theirs to grant.
        scopes: Scopes,
        /// What is not.
        withheld: Scopes,
    },
    /// Nobody lets them in, or only with other scopes than these.
    Closed,
}

/// Decides it. Without grants no rule names them.
pub fn decide(grants: Option<&Grants>, asked: &Scopes) -> Admission {
    match grants.and_then(|grants| grants.of(asked)) {
        Some(scopes) => Admission::Open { withheld: asked.without(&scopes), scopes },
        None => Admission::Closed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_grants_more_than_is_theirs() {
        let these = |text: &str| Some(Grants::of_words(text).unwrap());
        for (grants, asked, outcome) in [
            (Some(Grants::Everything), "read write", Some(("read write", ""))),
            (Some(Grants::Everything), "", Some(("", ""))),
            (these("read"), "read write", Some(("read", "write"))),
            (these("read write share"), "read", Some(("read", ""))),
            (these("read"), "", None),
            (these("read"), "write", None),
            (these(""), "read", None),
            (None, "read", None),
            (None, "", None),
        ] {
            let decided = decide(grants.as_ref(), &asked.parse().unwrap());
            let expected = outcome.map_or(Admission::Closed, |(scopes, withheld)| Admission::Open {
                scopes: scopes.parse().unwrap(),
                withheld: withheld.parse().unwrap(),
            });
            assert_eq!(decided, expected, "{grants:?} {asked:?}");
        }
    }
}

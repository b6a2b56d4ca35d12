//! Owner tokens: what a program of an owner's shows to the owners' API. It acts for its owner, as far as its scopes go,
//! and never further than they could in the console.

use std::{fmt, str::FromStr};

use super::{
    Timestamp,
    account::{Account, UnknownWord},
    id::OwnerTokenId,
};

macro_rules! owner_scopes {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $says:literal),+ $(,)?) => {
        /// What a token may be used for.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum OwnerScope {
            $($(#[$doc])* $name,)+
        }

        impl OwnerScope {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// The word in the database and in challenges.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }

            /// What it lets a program do.
            pub fn says(self) -> &'static str {
                match self {
                    $(Self::$name => $says,)+
                }
            }
        }
    };
}

owner_scopes! {
    /// Reading everything about plugins but people and the log.
    PluginsRead = "plugins:read",
        "See plugins, their clients, owners and numbers, and attempts to connect with addresses they came from; preview a manifest",
    /// Changing what plugins say.
    PluginsWrite = "plugins:write", "Register plugins, change what they say and what may be asked for, verify them and look whether they work",
    /// Changing clients.
    ClientsWrite = "clients:write", "Create, change and delete client IDs, and make secrets",
    /// Reading who is connected.
    PeopleRead = "people:read", "See who is connected, by the names that the API knows them by",
    /// Disconnecting people.
    PeopleWrite = "people:write", "Disconnect people, one or all",
    /// Changing who owns a plugin.
    OwnersWrite = "owners:write", "Invite owners of plugins, and remove them",
    /// Reading who may connect.
    AccessRead = "access:read", "See who may connect, by the addresses and groups that are named, and the reviewers' account",
    /// Changing who may connect.
    AccessWrite = "access:write", "Say who may connect; make the account for reviewers, with its password, prolong and end it",
    /// Reading the webhook.
    WebhooksRead = "webhooks:read", "See where APIs are told of their people, and what became of it",
    /// Changing the webhook.
    WebhooksWrite = "webhooks:write", "Say where APIs are told of their people, and make the secrets that sign it",
    /// Reading which API keys there are.
    SecretsRead = "secrets:read", "See which API keys plugins have, where they are used and how old they are; never their values",
    /// Putting API keys away.
    SecretsWrite = "secrets:write",
        "Put API keys away and replace them, say where they are used, and remove them; with plugins:write, move an API that has some",
    /// Reading the log.
    LogRead = "log:read", "Read the log of plugins",
}

impl FromStr for OwnerScope {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let known = Self::ALL.iter().copied().find(|scope| scope.as_str() == word);
        known.ok_or_else(|| UnknownWord::new("scope", word))
    }
}

/// What a token may be used for, each once and in their order; displayed as words with spaces between.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OwnerScopes(Vec<OwnerScope>);

impl OwnerScopes {
    /// Those of the words that are known. A word of a newer version of this program is passed over, which leaves fewer
    /// rights and never more.
    pub fn known(words: &str) -> Self {
        words.split_whitespace().filter_map(|word| word.parse().ok()).collect()
    }

    /// Whether it is among them.
    pub fn contains(&self, scope: OwnerScope) -> bool {
        self.0.contains(&scope)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their words.
    pub fn words(&self) -> Vec<&'static str> {
        self.0.iter().map(|scope| scope.as_str()).collect()
    }
}

impl FromIterator<OwnerScope> for OwnerScopes {
    fn from_iter<I: IntoIterator<Item = OwnerScope>>(scopes: I) -> Self {
        let mut scopes: Vec<OwnerScope> = scopes.into_iter().collect();
        scopes.sort_unstable();
        scopes.dedup();
        Self(scopes)
    }
}

impl FromStr for OwnerScopes {
    type Err = UnknownWord;

    fn from_str(words: &str) -> Result<Self, UnknownWord> {
        words.split_whitespace().map(str::parse).collect()
    }
}

impl fmt::Display for OwnerScopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.words().join(" "))
    }
}

/// A token; its text is known to whoever was shown it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerToken {
    /// Row id.
    pub id: OwnerTokenId,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: OwnerScopes,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
    /// When it was last shown, as far as that is noted: it may be a minute more.
    pub last_used_at: Option<Timestamp>,
}

/// A token that stands, and whom it acts for.
#[derive(Clone, Debug)]
pub struct StandingToken {
    /// The token.
    pub token: OwnerToken,
    /// Its owner.
    pub account: Account,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scopes_are_few_words_each_once() {
        let scopes: OwnerScopes = "log:read plugins:read  log:read".parse().unwrap();
        assert_eq!(scopes.to_string(), "plugins:read log:read");
        assert!(scopes.contains(OwnerScope::LogRead) && !scopes.contains(OwnerScope::PluginsWrite));
        assert!("".parse::<OwnerScopes>().unwrap().is_empty());
        assert!("plugins:read everything".parse::<OwnerScopes>().is_err());
        assert_eq!(OwnerScopes::known("everything log:read").words(), ["log:read"]);
    }
}

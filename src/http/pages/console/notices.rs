//! What the console says was done a moment ago.

use crate::protocol::parameters::Parameters;

macro_rules! notices {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $says:literal),+ $(,)?) => {
        /// What was done a moment ago; the address of the page names it by a word, so that no text can be slipped in.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Notice {
            $($(#[$doc])* $name,)+
        }

        impl Notice {
            const ALL: &[(Self, &str, &str)] = &[$((Self::$name, $word, $says)),+];

            fn entry(self) -> (&'static str, &'static str) {
                let found = Self::ALL.iter().find(|(notice, _, _)| *notice == self);
                found.map_or(("", ""), |(_, word, says)| (word, says))
            }
        }
    };
}

notices! {
    /// Somebody else has signed in since.
    OtherAccount = "other-account", "Nothing was changed: another account has been signed in to since you opened that page.",
    /// A plugin was registered.
    Registered = "registered", "Registered. Now say what it may do, in sentences that people understand.",
    /// A form was saved.
    Saved = "saved", "Saved.",
    /// A verification token was published.
    TokenPublished = "token-published", "The token is published. Let the assistant look for it, or check it yourself.",
    /// A proof of the domain was set.
    ChallengeServed = "challenge-served", "It is served from now on.",
    /// A look found everything as it should be.
    Verified = "verified", "Verified: what stands at the public address is what it should be.",
    /// A look did not.
    NotVerified = "not-verified", "Not verified. What is wrong stands below.",
    /// A callback that was offered is registered.
    Approved = "approved", "Approved: people are sent back there from now on.",
    /// An offer was taken away.
    Dismissed = "dismissed", "It is not offered any more, unless somebody comes with it again.",
    /// A secret ended.
    SecretEnded = "secret-ended", "That secret is not valid any more.",
    /// A client was disabled.
    Disabled = "disabled", "Disabled: nothing it was given is valid any more.",
    /// A client was enabled.
    Enabled = "enabled", "Enabled again.",
    /// A client was deleted.
    Deleted = "deleted", "Deleted, with everything it was given.",
    /// Somebody was invited.
    Invited = "invited", "A mail is on its way. They own the plugin when they have accepted.",
    /// They accepted an invitation.
    Joined = "joined", "You look after this plugin now.",
    /// They declined one.
    Declined = "declined", "Declined.",
    /// They own the plugin no more.
    Left = "left", "You do not look after that plugin any more.",
    /// A token of a program was ended.
    TokenEnded = "token-ended", "That token is not good any more.",
    /// A test of the webhook waits to be sent.
    TestSent = "test-sent", "A test is on its way. What became of it stands in the list below in a moment; look at this page again.",
    /// An event is sent once more.
    SentAgain = "sent-again", "It is on its way again.",
    /// A webhook goes on.
    Started = "started", "Started: what was not taken is sent again.",
    /// A webhook is no more.
    Removed = "removed", "Removed: your API is told nothing any more.",
    /// An API key was put away.
    PutAway = "put-away", "Put away. Nobody is shown it again, here or anywhere.",
    /// Another value took over.
    Replaced = "replaced", "The new key is used from now on.",
    /// A version of an API key was wiped.
    VersionEnded = "version-ended", "That version is wiped.",
    /// An API key is no more.
    KeyRemoved = "key-removed", "Removed. No request gets that key any more.",
    /// A try-out cannot go on.
    TryOutOver = "try-out-over", "That try-out is over, or was begun in another browser. You can begin another one here.",
    /// Connections were ended.
    Disconnected = "disconnected", "Disconnected.",
}

impl Notice {
    /// The one that an address asks for.
    pub fn asked_for(query: &str) -> Option<Self> {
        let query = Parameters::from_form(query.as_bytes()).ok()?;
        let word = query.one("done", 32).ok()??;
        Self::ALL.iter().find(|(_, known, _)| *known == word).map(|(notice, _, _)| *notice)
    }

    /// Its word.
    pub fn word(self) -> &'static str {
        self.entry().0
    }

    /// Its sentence.
    pub fn says(self) -> &'static str {
        self.entry().1
    }

    /// Whether what was wanted was done.
    pub fn is_good(self) -> bool {
        !matches!(self, Self::OtherAccount | Self::NotVerified | Self::TryOutOver)
    }
}

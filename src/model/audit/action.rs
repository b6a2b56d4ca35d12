//! What an audit event can tell: a closed list of words, a contract for whoever reads the log.
//!
//! `model::audit` is the event; the store writes it in the transaction of the change it tells of.

macro_rules! actions {
    ($($(#[$doc:meta])* $action:ident = $word:literal,)+) => {
        /// What happened; the words are a contract for whoever reads the log.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum AuditAction { $($(#[$doc])* $action),+ }

        impl AuditAction {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$action),+];

            /// The word in the log.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$action => $word),+ }
            }
        }
    };
}

actions! {
    /// An account was made.
    AccountAdded = "account.added",
    /// Somebody was invited.
    AccountInvited = "account.invited",
    /// An account's address was shown to be its owner's.
    AccountEmailVerified = "account.email_verified",
    /// An account's address was changed.
    AccountEmailChanged = "account.email_changed",
    /// An account went back to an address it had.
    AccountEmailRestored = "account.email_restored",
    /// An account's name was changed.
    AccountRenamed = "account.renamed",
    /// A password was changed by who knew the one before.
    AccountPasswordChanged = "account.password_changed",
    /// A password was chosen anew by who did not; everything of the account ended.
    AccountPasswordReset = "account.password_reset",
    /// An account was disabled.
    AccountDisabled = "account.disabled",
    /// An account was enabled again.
    AccountEnabled = "account.enabled",
    /// An account was deleted, and everything personal with it.
    AccountDeleted = "account.deleted",
    /// Its owner signed out other browsers than their own.
    AccountSessionsEnded = "account.sessions_ended",
    /// Every session, code and family of an account was ended.
    AccountSignedOutEverywhere = "account.signed_out_everywhere",
    /// A passkey was added to an account.
    AccountPasskeyAdded = "account.passkey_added",
    /// A passkey was removed from an account.
    AccountPasskeyRemoved = "account.passkey_removed",
    /// An authenticator app was set up.
    AccountAuthenticatorAppAdded = "account.authenticator_app_added",
    /// An authenticator app was removed.
    AccountAuthenticatorAppRemoved = "account.authenticator_app_removed",
    /// An account got new recovery codes.
    AccountRecoveryCodesMade = "account.recovery_codes_made",
    /// A recovery code was used.
    AccountRecoveryCodeUsed = "account.recovery_code_used",
    /// Browsers are asked for a second factor again.
    AccountDevicesForgotten = "account.devices_forgotten",
    /// The operator removed all factors of an account.
    AccountFactorsRemoved = "account.factors_removed",
    /// A token for the owners' API was made for an account.
    AccountApiTokenMade = "account.api_token_made",
    /// One of those was ended before its time.
    AccountApiTokenEnded = "account.api_token_ended",
    /// So many tries to sign in to an account failed that nobody may try for a while.
    AccountSignInHeld = "account.sign_in_held",
    /// Somebody at another server was linked with an account.
    IdentityLinked = "identity.linked",
    /// They are not linked any more.
    IdentityUnlinked = "identity.unlinked",
    /// A plugin was imported or imported again.
    PluginImported = "plugin.imported",
    /// Other requests than before go on to a plugin's API, or need something else.
    PluginRoutesSet = "plugin.routes_set",
    /// Somebody was asked to own a plugin.
    PluginOwnerInvited = "plugin.owner_invited",
    /// Such an invitation was taken back or declined.
    PluginInvitationEnded = "plugin.invitation_ended",
    /// An account owns a plugin from now on.
    PluginOwnerAdded = "plugin.owner_added",
    /// An account owns a plugin no more.
    PluginOwnerRemoved = "plugin.owner_removed",
    /// Everybody who was connected to a plugin was disconnected.
    PluginPeopleDisconnected = "plugin.people_disconnected",
    /// Others than before may connect to a plugin, or grant other scopes.
    PluginAccessChanged = "plugin.access_changed",
    /// A plugin has an account for a reviewer, or a new password for it.
    PluginReviewerMade = "plugin.reviewer_made",
    /// It lasts until another time.
    PluginReviewerProlonged = "plugin.reviewer_prolonged",
    /// It was ended.
    PluginReviewerEnded = "plugin.reviewer_ended",
    /// A group of people was made.
    GroupCreated = "group.created",
    /// A group was deleted; the rules that named it name nobody.
    GroupDeleted = "group.deleted",
    /// An account is in a group from now on.
    GroupMemberAdded = "group.member_added",
    /// An account is in a group no more.
    GroupMemberRemoved = "group.member_removed",
    /// A plugin's manifest publishes another verification token.
    PluginVerificationTokenSet = "plugin.verification_token_set",
    /// A plugin's manifest was read back at its public address, and matched.
    PluginVerified = "plugin.verified",
    /// It does not match any more.
    PluginUnverified = "plugin.unverified",
    /// A plugin's host answers another proof of its domain.
    PluginChallengeSet = "plugin.challenge_set",
    /// A plugin's API is told of its people from now on, or elsewhere.
    PluginWebhookSet = "plugin.webhook_set",
    /// It is told of them again.
    PluginWebhookStarted = "plugin.webhook_started",
    /// It is told of them no more until somebody starts that again.
    PluginWebhookStopped = "plugin.webhook_stopped",
    /// Something it was to be told was given up.
    PluginWebhookGivenUp = "plugin.webhook_given_up",
    /// Somebody had a test told to it.
    PluginWebhookTested = "plugin.webhook_tested",
    /// Somebody had something told to it once more.
    PluginWebhookSentAgain = "plugin.webhook_sent_again",
    /// What is told to it is signed with a new secret too.
    PluginWebhookSecretRenewed = "plugin.webhook_secret_renewed",
    /// The secret of before signs no more.
    PluginWebhookSecretEnded = "plugin.webhook_secret_ended",
    /// It is told of them no more, and what waited is gone.
    PluginWebhookRemoved = "plugin.webhook_removed",
    /// An API key was put away for a plugin's routes.
    SecretAdded = "secret.added",
    /// Where it is used, or how, was changed.
    SecretChanged = "secret.changed",
    /// A new version of it took over.
    SecretRotated = "secret.rotated",
    /// No new version could be made, where that is not left to people.
    SecretRotationFailed = "secret.rotation_failed",
    /// A version of it was wiped.
    SecretVersionEnded = "secret.version_ended",
    /// A version of it was ended where it had been issued.
    SecretVersionRevoked = "secret.version_revoked",
    /// Versions of it that ended here cannot be ended where they were issued.
    SecretRevocationFailed = "secret.revocation_failed",
    /// A version of it was used for the first time.
    SecretUsed = "secret.used",
    /// It was not given to a request that it might have been meant for.
    SecretRefused = "secret.refused",
    /// It is older than it was to become.
    SecretOverdue = "secret.overdue",
    /// It was removed, with all versions.
    SecretRemoved = "secret.removed",
    /// A resource was registered.
    ResourceAdded = "resource.added",
    /// Access tokens for a resource are signed with another algorithm.
    ResourceSigningChanged = "resource.signing_changed",
    /// A resource was removed.
    ResourceRemoved = "resource.removed",
    /// A client was registered.
    ClientAdded = "client.added",
    /// A client may send people to further places.
    ClientRedirectUrisAdded = "client.redirect_uris_added",
    /// A client may send people to some places no more.
    ClientRedirectUrisRemoved = "client.redirect_uris_removed",
    /// A callback that a client asked for was not approved.
    ClientCallbackDismissed = "client.callback_dismissed",
    /// A client got a new secret.
    ClientSecretRotated = "client.secret_rotated",
    /// A client's secret was ended before its time.
    ClientSecretEnded = "client.secret_ended",
    /// A client got another name.
    ClientRenamed = "client.renamed",
    /// A client may ask for other scopes than before.
    ClientScopesChanged = "client.scopes_changed",
    /// A client's registration was changed, by its document or by itself.
    ClientChanged = "client.changed",
    /// A client was given a key set by the operator.
    ClientKeysSupplied = "client.keys_supplied",
    /// A client was disabled.
    ClientDisabled = "client.disabled",
    /// A client was enabled again.
    ClientEnabled = "client.enabled",
    /// A client was deleted, and everything of its ended.
    ClientDeleted = "client.deleted",
    /// Somebody did not prove to be the client they said to be.
    ClientAuthenticationRefused = "client.authentication_refused",
    /// A client's assertion was presented a second time: somebody copied it.
    ClientAssertionReplayed = "client.assertion_replayed",
    /// A consent was given or widened.
    ConsentGranted = "consent.granted",
    /// A consent was taken back.
    ConsentRevoked = "consent.revoked",
    /// A code was redeemed.
    FamilyBorn = "family.born",
    /// A family was ended.
    FamilyEnded = "family.ended",
    /// A family's access tokens were revoked.
    AccessRevoked = "access.revoked",
    /// A refresh token was refused because its client proved itself by less than its connection had before.
    RefreshDowngradeRefused = "refresh.downgrade_refused",
    /// A token of the owners' API was used for what it is not good for.
    OwnerTokenRefused = "owner_token.refused",
    /// The oldest part of this log left by its age.
    AuditForgotten = "audit.forgotten",
    /// A working key was made.
    KeyAdded = "key.added",
    /// A working key takes over from another one, at the time its detail names.
    KeyRotated = "key.rotated",
    /// Working keys were wrapped anew, with another master key.
    KeyRewrapped = "key.rewrapped",
    /// Everything that is sealed in rows was sealed anew, with the active key.
    KeyResealed = "key.resealed",
    /// A working key was ended at once, because somebody else may know it.
    KeyCompromised = "key.compromised",
    /// A working key was wiped: nothing it made can come back any more.
    KeyEnded = "key.ended",
}

#[cfg(test)]
mod tests {
    use super::AuditAction;

    /// Whoever reads the log goes by the table: no word is missing there, and none stands there that is none.
    #[test]
    fn the_documents_have_every_word_and_no_other() {
        let list = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/audit.md")).unwrap();
        let told = list.lines().filter_map(|line| {
            let (word, rest) = line.strip_prefix("| `")?.split_once("` | ")?;
            (word.contains('.') && rest.matches(" |").count() == 2).then_some(word)
        });
        let mut told: Vec<&str> = told.collect();
        let mut words: Vec<&str> = AuditAction::ALL.iter().map(|action| action.as_str()).collect();
        told.sort_unstable();
        words.sort_unstable();
        assert_eq!(told, words);
    }
}

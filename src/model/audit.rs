//! Audit events: who changed what, when and from where. Never a secret, never a token.
//!
//! The store writes each in the transaction of the change it tells of.

use super::{
    Timestamp,
    id::{AccountId, AuditEventId, ClientId, OwnerTokenId, PluginId},
};

/// Who made a change. They are not compared: a person and their program are one, so it is their `account` that is.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A person who has signed in, in their browser.
    Account(AccountId),
    /// A program of theirs.
    Program(Program),
    /// A client, at a machine endpoint.
    Client(ClientId),
    /// The operator, on the command line.
    Operator,
    /// The server itself.
    Server,
}

/// A program that acts for a person, by a token of the owners' API.
#[derive(Clone, Debug)]
pub struct Program {
    /// Whom it acts for.
    pub account_id: AccountId,
    /// By which token.
    pub token: UsedToken,
}

/// A token that something was done by. Its name is kept beside its id, because a token that has ended is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedToken {
    /// Row id.
    pub id: OwnerTokenId,
    /// What its owner called it then.
    pub name: String,
}

impl Actor {
    /// The person, in their browser or by a program.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(*id),
            Self::Program(program) => Some(program.account_id),
            Self::Client(_) | Self::Operator | Self::Server => None,
        }
    }

    /// The token, where it was a program.
    pub fn token(&self) -> Option<&UsedToken> {
        match self {
            Self::Program(program) => Some(&program.token),
            _ => None,
        }
    }
}

/// What every audited store operation is told beside its own facts; the operation itself knows what happened.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The event's row id, made beforehand so that a retried statement writes it once.
    pub id: AuditEventId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// The peer's network address, where there is one.
    pub address: Option<String>,
}

/// What happened; the words are a contract for whoever reads the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditAction {
    /// An account was made.
    AccountAdded,
    /// Somebody was invited.
    AccountInvited,
    /// An account's address was shown to be its owner's.
    AccountEmailVerified,
    /// An account's address was changed.
    AccountEmailChanged,
    /// An account went back to an address it had.
    AccountEmailRestored,
    /// An account's name was changed.
    AccountRenamed,
    /// A password was changed by who knew the one before.
    AccountPasswordChanged,
    /// A password was chosen anew by who did not; everything of the account ended.
    AccountPasswordReset,
    /// An account was disabled.
    AccountDisabled,
    /// An account was enabled again.
    AccountEnabled,
    /// An account was deleted, and everything personal with it.
    AccountDeleted,
    /// Its owner signed out other browsers than their own.
    AccountSessionsEnded,
    /// Every session, code and family of an account was ended.
    AccountSignedOutEverywhere,
    /// A passkey was added to an account.
    AccountPasskeyAdded,
    /// A passkey was removed from an account.
    AccountPasskeyRemoved,
    /// An authenticator app was set up.
    AccountAuthenticatorAppAdded,
    /// An authenticator app was removed.
    AccountAuthenticatorAppRemoved,
    /// An account got new recovery codes.
    AccountRecoveryCodesMade,
    /// A recovery code was used.
    AccountRecoveryCodeUsed,
    /// Browsers are asked for a second factor again.
    AccountDevicesForgotten,
    /// The operator removed all factors of an account.
    AccountFactorsRemoved,
    /// A token for the owners' API was made for an account.
    AccountApiTokenMade,
    /// One of those was ended before its time.
    AccountApiTokenEnded,
    /// Somebody at another server was linked with an account.
    IdentityLinked,
    /// They are not linked any more.
    IdentityUnlinked,
    /// A plugin was imported or imported again.
    PluginImported,
    /// Somebody was asked to own a plugin.
    PluginOwnerInvited,
    /// Such an invitation was taken back or declined.
    PluginInvitationEnded,
    /// An account owns a plugin from now on.
    PluginOwnerAdded,
    /// An account owns a plugin no more.
    PluginOwnerRemoved,
    /// Everybody who was connected to a plugin was disconnected.
    PluginPeopleDisconnected,
    /// Others than before may connect to a plugin, or grant other scopes.
    PluginAccessChanged,
    /// A plugin has an account for a reviewer, or a new password for it.
    PluginReviewerMade,
    /// It lasts until another time.
    PluginReviewerProlonged,
    /// It was ended.
    PluginReviewerEnded,
    /// A group of people was made.
    GroupCreated,
    /// A group was deleted; the rules that named it name nobody.
    GroupDeleted,
    /// An account is in a group from now on.
    GroupMemberAdded,
    /// An account is in a group no more.
    GroupMemberRemoved,
    /// A plugin's manifest publishes another verification token.
    PluginVerificationTokenSet,
    /// A plugin's manifest was read back at its public address, and matched.
    PluginVerified,
    /// It does not match any more.
    PluginUnverified,
    /// A plugin's host answers another proof of its domain.
    PluginChallengeSet,
    /// A plugin's API is told of its people from now on, or elsewhere.
    PluginWebhookSet,
    /// It is told of them again.
    PluginWebhookStarted,
    /// It is told of them no more until somebody starts that again.
    PluginWebhookStopped,
    /// Something it was to be told was given up.
    PluginWebhookGivenUp,
    /// Somebody had a test told to it.
    PluginWebhookTested,
    /// Somebody had something told to it once more.
    PluginWebhookSentAgain,
    /// What is told to it is signed with a new secret too.
    PluginWebhookSecretRenewed,
    /// The secret of before signs no more.
    PluginWebhookSecretEnded,
    /// It is told of them no more, and what waited is gone.
    PluginWebhookRemoved,
    /// A resource was registered.
    ResourceAdded,
    /// A resource was removed.
    ResourceRemoved,
    /// A client was registered.
    ClientAdded,
    /// A client may send people to further places.
    ClientRedirectUrisAdded,
    /// A client may send people to some places no more.
    ClientRedirectUrisRemoved,
    /// A callback that a client asked for was not approved.
    ClientCallbackDismissed,
    /// A client got a new secret.
    ClientSecretRotated,
    /// A client's secret was ended before its time.
    ClientSecretEnded,
    /// A client got another name.
    ClientRenamed,
    /// A client may ask for other scopes than before.
    ClientScopesChanged,
    /// A client's registration was changed, by its document or by itself.
    ClientChanged,
    /// A client was given a key set by the operator.
    ClientKeysSupplied,
    /// A client was disabled.
    ClientDisabled,
    /// A client was enabled again.
    ClientEnabled,
    /// A client was deleted, and everything of its ended.
    ClientDeleted,
    /// A consent was given or widened.
    ConsentGranted,
    /// A consent was taken back.
    ConsentRevoked,
    /// A code was redeemed.
    FamilyBorn,
    /// A family was ended.
    FamilyEnded,
    /// A family's access tokens were revoked.
    AccessRevoked,
    /// A working key was made.
    KeyAdded,
}

impl AuditAction {
    /// The word in the log.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AccountAdded => "account.added",
            Self::AccountInvited => "account.invited",
            Self::AccountEmailVerified => "account.email_verified",
            Self::AccountEmailChanged => "account.email_changed",
            Self::AccountEmailRestored => "account.email_restored",
            Self::AccountRenamed => "account.renamed",
            Self::AccountPasswordChanged => "account.password_changed",
            Self::AccountPasswordReset => "account.password_reset",
            Self::AccountDisabled => "account.disabled",
            Self::AccountEnabled => "account.enabled",
            Self::AccountDeleted => "account.deleted",
            Self::AccountSessionsEnded => "account.sessions_ended",
            Self::AccountSignedOutEverywhere => "account.signed_out_everywhere",
            Self::AccountPasskeyAdded => "account.passkey_added",
            Self::AccountPasskeyRemoved => "account.passkey_removed",
            Self::AccountAuthenticatorAppAdded => "account.authenticator_app_added",
            Self::AccountAuthenticatorAppRemoved => "account.authenticator_app_removed",
            Self::AccountRecoveryCodesMade => "account.recovery_codes_made",
            Self::AccountRecoveryCodeUsed => "account.recovery_code_used",
            Self::AccountDevicesForgotten => "account.devices_forgotten",
            Self::AccountFactorsRemoved => "account.factors_removed",
            Self::AccountApiTokenMade => "account.api_token_made",
            Self::AccountApiTokenEnded => "account.api_token_ended",
            Self::IdentityLinked => "identity.linked",
            Self::IdentityUnlinked => "identity.unlinked",
            Self::PluginImported => "plugin.imported",
            Self::PluginOwnerInvited => "plugin.owner_invited",
            Self::PluginInvitationEnded => "plugin.invitation_ended",
            Self::PluginOwnerAdded => "plugin.owner_added",
            Self::PluginOwnerRemoved => "plugin.owner_removed",
            Self::PluginPeopleDisconnected => "plugin.people_disconnected",
            Self::PluginAccessChanged => "plugin.access_changed",
            Self::PluginReviewerMade => "plugin.reviewer_made",
            Self::PluginReviewerProlonged => "plugin.reviewer_prolonged",
            Self::PluginReviewerEnded => "plugin.reviewer_ended",
            Self::GroupCreated => "group.created",
            Self::GroupDeleted => "group.deleted",
            Self::GroupMemberAdded => "group.member_added",
            Self::GroupMemberRemoved => "group.member_removed",
            Self::PluginVerificationTokenSet => "plugin.verification_token_set",
            Self::PluginVerified => "plugin.verified",
            Self::PluginUnverified => "plugin.unverified",
            Self::PluginChallengeSet => "plugin.challenge_set",
            Self::PluginWebhookSet => "plugin.webhook_set",
            Self::PluginWebhookStarted => "plugin.webhook_started",
            Self::PluginWebhookStopped => "plugin.webhook_stopped",
            Self::PluginWebhookGivenUp => "plugin.webhook_given_up",
            Self::PluginWebhookTested => "plugin.webhook_tested",
            Self::PluginWebhookSentAgain => "plugin.webhook_sent_again",
            Self::PluginWebhookSecretRenewed => "plugin.webhook_secret_renewed",
            Self::PluginWebhookSecretEnded => "plugin.webhook_secret_ended",
            Self::PluginWebhookRemoved => "plugin.webhook_removed",
            Self::ResourceAdded => "resource.added",
            Self::ResourceRemoved => "resource.removed",
            Self::ClientAdded => "client.added",
            Self::ClientRedirectUrisAdded => "client.redirect_uris_added",
            Self::ClientRedirectUrisRemoved => "client.redirect_uris_removed",
            Self::ClientCallbackDismissed => "client.callback_dismissed",
            Self::ClientSecretRotated => "client.secret_rotated",
            Self::ClientSecretEnded => "client.secret_ended",
            Self::ClientRenamed => "client.renamed",
            Self::ClientScopesChanged => "client.scopes_changed",
            Self::ClientChanged => "client.changed",
            Self::ClientKeysSupplied => "client.keys_supplied",
            Self::ClientDisabled => "client.disabled",
            Self::ClientEnabled => "client.enabled",
            Self::ClientDeleted => "client.deleted",
            Self::ConsentGranted => "consent.granted",
            Self::ConsentRevoked => "consent.revoked",
            Self::FamilyBorn => "family.born",
            Self::FamilyEnded => "family.ended",
            Self::AccessRevoked => "access.revoked",
            Self::KeyAdded => "key.added",
        }
    }
}

/// The rows an event is about, for looking it up later.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subjects {
    /// The account concerned.
    pub account_id: Option<AccountId>,
    /// The client concerned.
    pub client_id: Option<ClientId>,
    /// The plugin concerned.
    pub plugin_id: Option<PluginId>,
}

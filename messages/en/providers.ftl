# Signing in through others. $provider is another service, $email an address, $date a day.

sign-in-with = Sign in with { $provider }

trouble-not-signed-in = You are not signed in
    .message = You came back from { $provider } without signing in there. Nothing happened. You can try again, or sign in another way.
trouble-too-late = That took too long
    .message = More than ten minutes passed at { $provider }, so we stopped to keep you safe. Please try again.
trouble-not-back = Please try again in this browser
    .message = What came back from { $provider } was not started here, or your browser does not keep our cookies. Nothing happened.
trouble-unreachable = We cannot reach the other service
    .message = { $provider } does not answer us at the moment. Try again in a while, or sign in another way.
trouble-not-believed = That did not work
    .message = We could not use what { $provider } told us about you. Nothing happened. Please try again, or sign in another way.
trouble-too-many = Too many attempts
    .message = Too many people are trying to sign in from your network, also through { $provider }. Wait a minute, then try again.
trouble-disabled = This account cannot be used
    .message = The account that belongs to you at { $provider } was closed here.
trouble-unverified = We need a confirmed email address
    .message = { $provider } does not say that your email address is yours. Confirm it there and try again, or sign in another way.
trouble-other-address = That is another email address
    .message = { $provider } knows you by another address than this account has. Only one with the same address can be linked.
trouble-no-sign-up = There is no account for you yet
    .message = You cannot make an account by signing in with { $provider }. If you were invited, open the link of the invitation first.
trouble-sign-in-first = You have an account already
    .message = An account has the address that { $provider } told us. Sign in as you always do. Then we ask once whether to link the two.
trouble-not-linked = That could not be linked
    .message = You are linked with another account at { $provider }, or this account was changed meanwhile.

identities-title = Other ways to sign in
identities-lead = With these services you can sign in here.
identities-none = None yet.
identities-since = Linked on { $date }
identities-used = last used on { $date }
identities-unlink = Unlink
identities-unlinked = It can no longer be used to sign in here.
identities-last-way = It is the only way to sign in to your account. Choose a password first.
identities-link-heading = Link another
identities-link-lead = It must know you by the address of this account, { $email }.
identities-link = Link { $provider }
identities-confirm = Link the two?
identities-confirm-lead = From now on, whoever signs in to your account at { $provider } is signed in here as { $email }.
identities-confirm-do = Link them
identities-confirm-leave = Do not link
identities-confirm-not-you = If you did not just come from there, do not link them.

event-identity-linked = You linked another way to sign in
event-identity-unlinked = You unlinked a way to sign in

# What pages say to people. Names in braces come from elsewhere and are set apart on the page; the comments say what
# they are. Short sentences, plain words, no "please" on buttons, and never blame.

## Every page

foot-home = Nothing gets in here unless you say yes.
languages-label = Language
reference = If you ask for help, mention this number:

## Signing in

sign-in-title = Sign in
# $client is the app, $plugin the service it wants to use.
sign-in-to-connect = to connect { $client } to { $plugin }. You decide on the next page what it may do.
# $server is the name of this site.
sign-in-plain = with your { $server } account.
sign-in-refused = That email address and password do not match. Please try again.
sign-in-too-many = There were too many attempts. Please wait a few minutes, then try again.
sign-in-foot-for = Your password stays here. { $client } never sees it.
sign-in-foot = Your password stays here. Connected apps never see it.
sign-in-do = Sign in
field-email = Email address
field-password = Password

## Signing out

signed-out-title = Signed out
signed-out-heading = You are signed out
signed-out-lead = This browser no longer knows you. You can close this page.
signed-out-apps = Apps you have allowed stay connected until you take that back.
sign-out-do = Sign out

## The front page

home-title = Welcome
home-heading = You decide who gets in
home-lead = Assistants such as ChatGPT come to { $server } when you want them to work with a service for you. You sign in here, read what they ask for, and say yes or no.
home-nobody = You are not signed in. Start in your assistant, or sign in to see your connected apps.
home-console = The plugins you look after
signed-in-as = Signed in as

## Consent

consent-title = Allow access?
consent-heading = Allow { $client } to use { $plugin }?
consent-from-owner = Set up by the people who run { $plugin }.
# $host is where the app published its description.
consent-from-host = An app published by { $host }.
# $name is what the app calls itself; nobody has checked it.
consent-calls-itself = It calls itself “{ $name }”.
consent-unproven = This app chose its name by itself. Nobody has checked who made it.
consent-another-account = Use another account
# What follows is a list of what the app may do; each begins with a verb.
consent-can = If you allow it, { $client } can
consent-whole-plugin = Use { $plugin } in your name
consent-new = New
consent-withheld = It also asked for this, which { $plugin } does not let you allow:
consent-choice = Untick what you do not want to allow.
consent-nothing-ticked = Nothing is ticked. Tick what you want to allow, or choose “Don’t allow”.
# $most and $unused are numbers of days.
consent-lasts = The connection lasts until you take it back, at most { $most ->
    [one] one day
   *[other] { $most } days
 }, and ends by itself when it is not used for { $unused ->
    [one] a day
   *[other] { $unused } days
 }.
consent-leads-to = Afterwards you are sent to
consent-only-site = Only allow this if you have just asked { $client } to connect, and this address is the one you came from.
consent-only-program = any program on this computer can call itself { $client }. Only allow this if you have just started connecting from a program you trust.
consent-only-app = any app on this device can call itself { $client }. Only allow this if you have just started connecting from an app you trust.
take-care = Take care:
consent-allow = Allow
consent-deny = Don’t allow
# $apps is a link that says consent-apps.
consent-take-back = You can take this back at any time: open { $apps } on this site.
consent-apps = your connected apps
consent-take-back-there = You can take this back at any time: disconnect { $plugin } in { $client }, or write to the address below.
consent-about = About { $plugin }
consent-address = Address
consent-contact = Contact
consent-legal = Legal
consent-foot = { $client } never sees your password.

## Where a plugin is not open

closed-title = Not open to you
closed-heading = { $plugin } is not open to you
closed-lead = The people who run { $plugin } have chosen who may connect to it. This account is not among them, or only for other things than those that were asked for. Nothing was connected.
closed-unverified = The email address of this account is not confirmed yet. If you were let in by your address, confirm it in your account first, then start again.
closed-ask = If you think you should be let in, write to { $email }.
closed-leads-to = Going back leads to
closed-back = Go back to { $client }

## Where an answer leads

place-program = A program on this computer
place-app = An app on this device

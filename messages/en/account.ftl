# The pages for who is signed in. $client is an app, $plugin a service, $date a day, $count a number.

date = { $month ->
    [1] January
    [2] February
    [3] March
    [4] April
    [5] May
    [6] June
    [7] July
    [8] August
    [9] September
    [10] October
    [11] November
   *[12] December
 } { $day }, { $year }
places-label = Your pages

## Connected apps

apps-title = Connected apps
apps-lead = These apps may act for you. Disconnect what you no longer use.
apps-none = Nothing is connected. When you allow an app, it appears here.
apps-uses = { $client } uses { $plugin }
apps-since = Allowed on { $date }
apps-connections = { $count ->
    [one] One connection
   *[other] { $count } connections
 }
apps-connected = Connected on { $date }
apps-connected-from = Connected on { $date } from { $address }
apps-refreshed = last used on { $date }
apps-not-refreshed = used only at the beginning
apps-unused = Allowed, and not connected at the moment.
apps-disconnect = Disconnect
apps-disconnect-one = Disconnect only this one
apps-disconnected = { $client } can no longer use { $plugin }. { $count ->
    [0] Nothing was connected.
    [one] One connection ended.
   *[other] { $count } connections ended.
 }
apps-disconnected-one = One connection of { $client } ended. The others stay.
apps-history = What happened

event-account-added = Your account was made
event-email-verified = You confirmed your email address
event-email-changed = Your email address was changed
event-password-changed = Your password was changed
event-sessions-ended = You signed out other browsers
event-signed-out-everywhere = You signed out everywhere and disconnected all apps
event-consent-granted = You allowed { $client }
event-consent-revoked = You disconnected { $client }
event-connected = { $client } connected
event-connection-ended = A connection of { $client } ended

## Where one is signed in

sessions-title = Where you are signed in
sessions-lead = If you do not know one of these browsers, sign it out and change your password.
sessions-here = This browser
sessions-browser = { $browser } on { $system }
sessions-some-browser = { $name }
sessions-unknown = A browser
sessions-since = Signed in on { $date }
sessions-end = Sign out
sessions-end-others = Sign out all other browsers
sessions-ended = { $count ->
    [0] It was signed out already.
    [one] One browser was signed out.
   *[other] { $count } browsers were signed out.
 }
sessions-everything-heading = Sign out everywhere
sessions-everything-lead = This signs out this browser too and disconnects every app. You would have to allow them again.
sessions-end-everything = Sign out everywhere and disconnect all apps

## Making an account, and links by mail. $email is an address, $count a number of characters.

links-sign-up = Make your account
links-ask-sign-up = Tell us your email address. We send you a link with which you choose your name and password.
links-reset = Choose a new password
links-ask-reset = Tell us the email address of your account. We send you a link.
links-verify = Is this your address?
links-change = Use this address?
links-restore = Get your account back
links-send = Send me a link
links-back-to-sign-in = Back to signing in
links-check-mail = Look into your mail
links-mail-sent = If there is something to do for { $email }, a mail with a link is on its way to it.
links-no-mail = Nothing there? Look among unwanted mail, check the spelling, or try again in a few minutes.
links-for = for { $email }
links-new-password = New password
links-password-hint = At least { $count } characters. A few unrelated words are easy to remember and hard to guess.
links-reset-ends = Wherever you are signed in now you will be signed out, and connected apps have to be allowed again.
links-make-account = Make the account
links-save-password = Save the password
links-confirm = Yes, this is my address
links-not-you = If it is not, close this page. Nothing happens.
links-done = Done
links-done-verify = Your address is confirmed.
links-done-change = Your account has this address now.
links-done-reset = You have a new password. Sign in with it.
links-done-restore = Your account is yours again. Sign in with the new password.
sign-in-forgot = Forgot your password?
sign-in-sign-up = Make an account
field-name = Your name
field-name-wrong = Please write your name: 1 to 100 visible characters.
field-email-wrong = That is no email address. Please check it.
field-email-taken = Another account has this address meanwhile.
password-too-short = That password is too short: it needs at least { $count } characters.
password-too-long = That password is too long.
password-known = That password is among the first that anybody would guess. Choose another, such as a few unrelated words.
password-personal = That password is made of names that anybody can know. Choose another, such as a few unrelated words.

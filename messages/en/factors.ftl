# Second factors. $date is a day, $server this server, $name a person, $count a number.

## How one signs in

security-title = How you sign in
security-lead = With a second factor nobody gets in who knows only your password.
security-asked = What you are asked to allow wants a second factor. Set one up here, then go on.
security-go-on = Go on
security-added = It was added.
security-not-added = It was not added: it is here already, or it took too long. Try again.
security-removed = It was removed.
security-last-way = It was not removed: you would have no way left to sign in.
security-forgotten = You will be asked for a second factor there again.
security-lost = If you lose everything that is listed here, only whoever runs { $server } can let you in again.

## Passkeys

passkeys-heading = Passkeys
passkeys-lead = Sign in with your finger, your face, a PIN or a security key, without a password.
passkey-added = Added on { $date }
passkey-used = last used on { $date }
passkey-not-used = not used yet
passkey-name = Name for a new passkey
passkey-unnamed = Passkey
passkey-add = Add a passkey
passkey-remove = Remove
passkey-failed = Your device gave no passkey. Try again.

## Authenticator app

app-heading = Authenticator app
app-lead = An app on your phone shows a code that changes every 30 seconds.
app-since = Set up on { $date }
app-set-up = Set up an app
app-remove = Remove the app
app-scan = Take a picture of this with the app, then type the code it shows.
app-type = Or type this key into the app:
app-picture = QR code with the key
app-code = Code
app-code-wrong = That is not the code the app shows now. Wait for the next one.
app-confirm = Confirm

## Recovery codes

codes-heading = Recovery codes
codes-lead = Each works once, on the day your other second factors are lost.
codes-left = { $count ->
    [one] One code is left.
   *[other] { $count } codes are left.
 }
codes-make = Make new codes
codes-title = Your recovery codes
codes-once = Write them down now: they are shown only this once. Older ones no longer work.
codes-kept = I have kept them

## Remembered browsers

devices-heading = Remembered browsers
devices-lead = You are not asked for a second factor in these.
device-until = Until { $date }
device-forget = Forget
devices-forget = Forget all

## Showing a second factor

second-step-title = Second step
second-step-lead = You are nearly in, { $name }. Show your second factor.
second-step-code = Code of your app, or a recovery code
second-step-passkey = Use a passkey
second-step-remember = Do not ask in this browser for 30 days
second-step-do = Go on
second-step-wrong = That was not right. Each code works once: wait for the next one.
second-step-other = Use another account
prove-title = Is it you?
prove-lead = Show once more that you are { $name }, since this matters.
sign-in-passkey = Sign in with a passkey
sign-in-passkey-refused = This passkey opens nothing here. Sign in another way.

## What happened

event-passkey-added = You added a passkey
event-passkey-removed = You removed a passkey
event-app-added = You set up an authenticator app
event-app-removed = You removed the authenticator app
event-codes-made = You made new recovery codes
event-code-used = You used a recovery code
event-devices-forgotten = You had browsers forgotten
event-factors-removed = Your second factors were removed for you
event-token-made = A token was made with which a program acts for you
event-token-ended = A program's token was ended

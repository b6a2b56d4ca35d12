# A person's own account. $email is an address, $server the name of this site, $count a number.

settings-title = Your account
settings-name = Name
settings-name-save = Save the name
settings-name-saved = Your name is saved.
settings-email-verified = confirmed
settings-email-unverified = not confirmed
settings-email-verify = Send me a link to confirm it
settings-email-change = Change the address
settings-email-new = New email address
settings-email-hint = We send a link to it. Your account keeps the old address until you open that link.
settings-email-send = Send the link
settings-email-sent = A mail with a link is on its way to { $email }. Nothing changes until you open it.
settings-email-same = Your account has this address already.
settings-mail-sent = A mail with a link is on its way to { $email }.
settings-no-mail = { $server } sends no mail. Ask whoever runs it.
settings-password-change = Change the password
settings-password-current = Current password
settings-password-ends = All other browsers are signed out. Connected apps stay connected.
settings-password-changed = Your password is changed. All other browsers were signed out; connected apps stay connected.
settings-password-none = You sign in without a password. Choose one first if you want to change your address, download your data or delete the account.
settings-password-ask = Send me a link to choose a password
settings-wrong-password = That is not your current password.
settings-too-many-mails = You have asked for several links lately. Use the newest one, or try again tomorrow.
settings-meanwhile = Your account was changed meanwhile, in another window perhaps. Look at it, then try again.
settings-other-account = You have signed in to another account meanwhile: this one. Nothing was changed.
settings-language-lead = For these pages, and for mail to you
settings-language-browser = The one my browser asks for
settings-language-save = Save the language
settings-export = Your data
settings-export-lead = Download everything that is kept of you
settings-export-do = Download
settings-delete = Delete the account
settings-delete-lead = The next page says what ends with it.
settings-delete-open = Delete my account

## Leaving

delete-lead = This deletes the account of { $email }, and cannot be undone.
delete-ends = What ends
delete-apps = { $count ->
    [0] No app is connected.
    [one] One app is disconnected and can do nothing in your name any more.
   *[other] { $count } apps are disconnected and can do nothing in your name any more.
 }
delete-sessions = { $count ->
    [one] You are signed out in this browser.
   *[other] You are signed out in { $count } browsers.
 }
delete-data = Your name, your address, your password and the list of what you allowed are deleted.
delete-services = Services you have registered here stay, and belong to whoever runs this site.
delete-kept = What stays is a record of what happened, under a number without your name, with the network addresses it came from.
delete-do = Delete the account for good
delete-keep = Keep the account
deleted-heading = Your account is deleted
deleted-lead = Everything in it is gone, apps are disconnected, and you are signed out. You can close this page.

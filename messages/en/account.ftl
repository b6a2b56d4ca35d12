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

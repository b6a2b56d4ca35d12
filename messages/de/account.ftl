# Die Seiten für Angemeldete; siehe die englische Datei.

date = { $day }. { $month ->
    [1] Januar
    [2] Februar
    [3] März
    [4] April
    [5] Mai
    [6] Juni
    [7] Juli
    [8] August
    [9] September
    [10] Oktober
    [11] November
   *[12] Dezember
 } { $year }
places-label = Ihre Seiten

## Verbundene Apps

apps-title = Verbundene Apps
apps-lead = Diese Apps dürfen in Ihrem Namen handeln. Trennen Sie, was Sie nicht mehr benutzen.
apps-none = Nichts ist verbunden. Wenn Sie einer App etwas erlauben, erscheint sie hier.
apps-uses = { $client } benutzt { $plugin }
apps-since = Erlaubt am { $date }
apps-connections = { $count ->
    [one] Eine Verbindung
   *[other] { $count } Verbindungen
 }
apps-connected = Verbunden am { $date }
apps-connected-from = Verbunden am { $date } von { $address }
apps-refreshed = zuletzt benutzt am { $date }
apps-not-refreshed = nur am Anfang benutzt
apps-unused = Erlaubt, aber im Augenblick nicht verbunden.
apps-disconnect = Trennen
apps-disconnect-one = Nur diese trennen
apps-disconnected = { $client } kann { $plugin } nicht mehr benutzen. { $count ->
    [0] Verbunden war nichts.
    [one] Eine Verbindung wurde beendet.
   *[other] { $count } Verbindungen wurden beendet.
 }
apps-disconnected-one = Eine Verbindung von { $client } wurde beendet. Die anderen bleiben.
apps-history = Was geschehen ist

event-account-added = Ihr Konto wurde angelegt
event-email-verified = Sie haben Ihre E-Mail-Adresse bestätigt
event-email-changed = Ihre E-Mail-Adresse wurde geändert
event-password-changed = Ihr Passwort wurde geändert
event-sessions-ended = Sie haben andere Browser abgemeldet
event-signed-out-everywhere = Sie haben sich überall abgemeldet und alle Apps getrennt
event-consent-granted = Sie haben { $client } den Zugriff erlaubt
event-consent-revoked = Sie haben { $client } getrennt
event-connected = { $client } hat sich verbunden
event-connection-ended = Eine Verbindung von { $client } wurde beendet

## Wo man angemeldet ist

sessions-title = Wo Sie angemeldet sind
sessions-lead = Wenn Sie einen dieser Browser nicht kennen, melden Sie ihn ab und ändern Sie Ihr Passwort.
sessions-here = Dieser Browser
sessions-browser = { $browser } auf { $system }
sessions-some-browser = { $name }
sessions-unknown = Ein Browser
sessions-since = Angemeldet am { $date }
sessions-end = Abmelden
sessions-end-others = Alle anderen Browser abmelden
sessions-ended = { $count ->
    [0] Er war schon abgemeldet.
    [one] Ein Browser wurde abgemeldet.
   *[other] { $count } Browser wurden abgemeldet.
 }
sessions-everything-heading = Überall abmelden
sessions-everything-lead = Das meldet auch diesen Browser ab und trennt alle Apps. Sie müssten sie danach neu erlauben.
sessions-end-everything = Überall abmelden und alle Apps trennen

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

## Ein Konto anlegen, und Links per Mail

links-sign-up = Legen Sie Ihr Konto an
links-ask-sign-up = Nennen Sie uns Ihre E-Mail-Adresse. Wir schicken Ihnen einen Link, mit dem Sie Namen und Passwort wählen.
links-reset = Ein neues Passwort wählen
links-ask-reset = Nennen Sie uns die E-Mail-Adresse Ihres Kontos. Wir schicken Ihnen einen Link.
links-verify = Ist das Ihre Adresse?
links-change = Diese Adresse verwenden?
links-restore = Ihr Konto zurückholen
links-send = Link schicken
links-back-to-sign-in = Zurück zur Anmeldung
links-check-mail = Sehen Sie in Ihre E-Mails
links-mail-sent = Wenn es für { $email } etwas zu tun gibt, ist eine E-Mail mit einem Link dorthin unterwegs.
links-no-mail = Nichts da? Sehen Sie bei den unerwünschten Mails nach, prüfen Sie die Schreibweise, oder versuchen Sie es in ein paar Minuten noch einmal.
links-for = für { $email }
links-new-password = Neues Passwort
links-password-hint = Mindestens { $count } Zeichen. Ein paar Wörter ohne Zusammenhang sind leicht zu merken und schwer zu erraten.
links-reset-ends = Wo Sie jetzt angemeldet sind, werden Sie abgemeldet, und verbundene Apps müssen neu erlaubt werden.
links-make-account = Konto anlegen
links-save-password = Passwort speichern
links-confirm = Ja, das ist meine Adresse
links-not-you = Wenn nicht, schließen Sie diese Seite. Dann geschieht nichts.
links-done = Erledigt
links-done-verify = Ihre Adresse ist bestätigt.
links-done-change = Ihr Konto hat jetzt diese Adresse.
links-done-reset = Sie haben ein neues Passwort. Melden Sie sich damit an.
links-done-restore = Ihr Konto gehört wieder Ihnen. Melden Sie sich mit dem neuen Passwort an.
sign-in-forgot = Passwort vergessen?
sign-in-sign-up = Konto anlegen
field-name = Ihr Name
field-name-wrong = Bitte schreiben Sie Ihren Namen: 1 bis 100 sichtbare Zeichen.
field-email-wrong = Das ist keine E-Mail-Adresse. Bitte prüfen Sie sie.
field-email-taken = Inzwischen hat ein anderes Konto diese Adresse.
password-too-short = Dieses Passwort ist zu kurz: Es braucht mindestens { $count } Zeichen.
password-too-long = Dieses Passwort ist zu lang.
password-known = Dieses Passwort würde jeder zuerst versuchen. Wählen Sie ein anderes, etwa ein paar Wörter ohne Zusammenhang.
password-personal = Dieses Passwort besteht aus Namen, die jeder kennen kann. Wählen Sie ein anderes, etwa ein paar Wörter ohne Zusammenhang.

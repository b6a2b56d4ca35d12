# Was Seiten den Menschen sagen; die Erläuterungen stehen in der englischen Datei. Höflich („Sie“), kurz, ohne Vorwurf.

## Jede Seite

foot-home = Niemand kommt hier hinein, wenn Sie nicht Ja sagen.
languages-label = Sprache
reference = Wenn Sie um Hilfe bitten, nennen Sie diese Nummer:

## Anmelden

sign-in-title = Anmelden
sign-in-to-connect = um { $client } mit { $plugin } zu verbinden. Was die App darf, entscheiden Sie auf der nächsten Seite.
sign-in-plain = mit Ihrem Konto bei { $server }.
sign-in-refused = E-Mail-Adresse und Passwort passen nicht zusammen. Bitte versuchen Sie es noch einmal.
sign-in-too-many = Es gab zu viele Versuche. Bitte warten Sie ein paar Minuten und versuchen Sie es dann noch einmal.
sign-in-foot-for = Ihr Passwort bleibt hier. { $client } sieht es nie.
sign-in-foot = Ihr Passwort bleibt hier. Verbundene Apps sehen es nie.
sign-in-do = Anmelden
field-email = E-Mail-Adresse
field-password = Passwort

## Abmelden

signed-out-title = Abgemeldet
signed-out-heading = Sie sind abgemeldet
signed-out-lead = Dieser Browser kennt Sie nicht mehr. Sie können diese Seite schließen.
signed-out-apps = Apps, denen Sie etwas erlaubt haben, bleiben verbunden, bis Sie das zurücknehmen.
sign-out-do = Abmelden

## Die Startseite

home-title = Willkommen
home-heading = Sie entscheiden, wer hineindarf
home-lead = Assistenten wie ChatGPT kommen zu { $server }, wenn sie in Ihrem Auftrag mit einem Dienst arbeiten sollen. Hier melden Sie sich an, lesen, worum gebeten wird, und sagen Ja oder Nein.
home-nobody = Sie sind nicht angemeldet. Beginnen Sie in Ihrem Assistenten, oder melden Sie sich an, um Ihre verbundenen Apps zu sehen.
home-console = Die Plugins, um die Sie sich kümmern
signed-in-as = Angemeldet als

## Einwilligung

consent-title = Zugriff erlauben?
consent-heading = { $client } erlauben, { $plugin } zu benutzen?
consent-from-owner = Eingerichtet von den Betreibern von { $plugin }.
consent-from-host = Eine App, veröffentlicht von { $host }.
consent-calls-itself = Sie nennt sich „{ $name }“.
consent-unproven = Diese App hat ihren Namen selbst gewählt. Niemand hat geprüft, wer sie gemacht hat.
consent-another-account = Anderes Konto verwenden
consent-can = Wenn Sie es erlauben, kann { $client }
consent-whole-plugin = { $plugin } in Ihrem Namen benutzen
consent-new = Neu
consent-withheld = Außerdem wurde um Folgendes gebeten, das { $plugin } Sie nicht erlauben lässt:
consent-choice = Entfernen Sie das Häkchen bei allem, was Sie nicht erlauben möchten.
consent-nothing-ticked = Nichts ist angekreuzt. Kreuzen Sie an, was Sie erlauben möchten, oder wählen Sie „Nicht erlauben“.
consent-lasts = Die Verbindung besteht, bis Sie sie zurücknehmen, höchstens { $most ->
    [one] einen Tag
   *[other] { $most } Tage
 }, und endet von selbst, wenn sie { $unused ->
    [one] einen Tag
   *[other] { $unused } Tage
 } lang nicht benutzt wird.
consent-leads-to = Danach werden Sie weitergeleitet zu
consent-only-site = Erlauben Sie das nur, wenn Sie { $client } gerade selbst darum gebeten haben und von dieser Adresse kommen.
consent-only-program = Jedes Programm auf diesem Computer kann sich { $client } nennen. Erlauben Sie das nur, wenn Sie die Verbindung gerade selbst in einem Programm begonnen haben, dem Sie vertrauen.
consent-only-app = Jede App auf diesem Gerät kann sich { $client } nennen. Erlauben Sie das nur, wenn Sie die Verbindung gerade selbst in einer App begonnen haben, der Sie vertrauen.
take-care = Vorsicht:
consent-allow = Erlauben
consent-deny = Nicht erlauben
consent-take-back = Sie können das jederzeit zurücknehmen: Öffnen Sie { $apps } auf dieser Seite.
consent-apps = Ihre verbundenen Apps
consent-take-back-there = Sie können das jederzeit zurücknehmen: Trennen Sie { $plugin } in { $client }, oder schreiben Sie an die Adresse unten.
consent-about = Über { $plugin }
consent-address = Adresse
consent-contact = Kontakt
consent-legal = Rechtliches
consent-foot = { $client } sieht Ihr Passwort nie.

## Wenn ein Plugin nicht offen ist

closed-title = Für Sie nicht offen
closed-heading = { $plugin } ist für Sie nicht offen
closed-lead = Die Betreiber von { $plugin } haben festgelegt, wer sich verbinden darf. Dieses Konto ist nicht dabei, oder nur für anderes als das, worum gebeten wurde. Es wurde nichts verbunden.
closed-unverified = Die E-Mail-Adresse dieses Kontos ist noch nicht bestätigt. Wenn Sie über Ihre Adresse zugelassen sind, bestätigen Sie sie zuerst in Ihrem Konto und beginnen Sie dann neu.
closed-ask = Wenn Sie meinen, dass Sie zugelassen sein sollten, schreiben Sie an { $email }.
closed-leads-to = Zurück führt nach
closed-back = Zurück zu { $client }

## Wohin eine Antwort führt

place-program = Ein Programm auf diesem Computer
place-app = Eine App auf diesem Gerät

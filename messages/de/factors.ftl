# Zweite Faktoren; siehe die englische Datei.

## How one signs in

security-title = Wie Sie sich anmelden
security-lead = Mit einem zweiten Faktor kommt niemand hinein, der nur Ihr Passwort kennt.
security-asked = Was Sie erlauben sollen, verlangt einen zweiten Faktor. Richten Sie hier einen ein und fahren Sie dann fort.
security-go-on = Weiter
security-added = Hinzugefügt.
security-not-added = Nicht hinzugefügt: Es ist schon da, oder es hat zu lange gedauert. Versuchen Sie es noch einmal.
security-removed = Entfernt.
security-last-way = Nicht entfernt: Sie könnten sich sonst nicht mehr anmelden.
security-forgotten = Dort wird wieder nach einem zweiten Faktor gefragt.
security-lost = Wenn Sie alles verlieren, was hier steht, kann nur der Betreiber von { $server } Sie wieder hineinlassen.

## Passkeys

passkeys-heading = Passkeys
passkeys-lead = Melden Sie sich mit Finger, Gesicht, PIN oder Sicherheitsschlüssel an, ohne Passwort.
passkey-added = Hinzugefügt am { $date }
passkey-used = zuletzt benutzt am { $date }
passkey-not-used = noch nicht benutzt
passkey-name = Name für einen neuen Passkey
passkey-unnamed = Passkey
passkey-add = Passkey hinzufügen
passkey-remove = Entfernen
passkey-failed = Ihr Gerät hat keinen Passkey gegeben. Versuchen Sie es noch einmal.

## Authenticator app

app-heading = Authenticator-App
app-lead = Eine App auf Ihrem Telefon zeigt einen Code, der sich alle 30 Sekunden ändert.
app-since = Eingerichtet am { $date }
app-set-up = App einrichten
app-remove = App entfernen
app-scan = Nehmen Sie dieses Bild mit der App auf und geben Sie den Code ein, den sie zeigt.
app-type = Oder geben Sie diesen Schlüssel in die App ein:
app-picture = QR-Code mit dem Schlüssel
app-code = Code
app-code-wrong = Das ist nicht der Code, den die App jetzt zeigt. Warten Sie auf den nächsten.
app-confirm = Bestätigen

## Recovery codes

codes-heading = Wiederherstellungscodes
codes-lead = Jeder gilt einmal, an dem Tag, an dem Ihre anderen zweiten Faktoren verloren sind.
codes-left = { $count ->
    [one] Ein Code ist übrig.
   *[other] { $count } Codes sind übrig.
 }
codes-make = Neue Codes erzeugen
codes-title = Ihre Wiederherstellungscodes
codes-once = Schreiben Sie sie jetzt auf: Sie werden nur dieses eine Mal gezeigt. Ältere gelten nicht mehr.
codes-kept = Ich habe sie aufbewahrt

## Remembered browsers

devices-heading = Gemerkte Browser
devices-lead = In diesen werden Sie nicht nach einem zweiten Faktor gefragt.
device-until = Bis { $date }
device-forget = Vergessen
devices-forget = Alle vergessen

## Showing a second factor

second-step-title = Zweiter Schritt
second-step-lead = Sie sind fast drin, { $name }. Zeigen Sie Ihren zweiten Faktor.
second-step-code = Code Ihrer App oder ein Wiederherstellungscode
second-step-passkey = Passkey benutzen
second-step-remember = In diesem Browser 30 Tage lang nicht fragen
second-step-do = Weiter
second-step-wrong = Das stimmte nicht. Jeder Code gilt einmal: Warten Sie auf den nächsten.
second-step-other = Ein anderes Konto benutzen
prove-title = Sind Sie es?
prove-lead = Zeigen Sie noch einmal, dass Sie { $name } sind, denn das hier ist wichtig.
sign-in-passkey = Mit einem Passkey anmelden
sign-in-passkey-refused = Dieser Passkey öffnet hier nichts. Melden Sie sich anders an.

## What happened

event-passkey-added = Sie haben einen Passkey hinzugefügt
event-passkey-removed = Sie haben einen Passkey entfernt
event-app-added = Sie haben eine Authenticator-App eingerichtet
event-app-removed = Sie haben die Authenticator-App entfernt
event-codes-made = Sie haben neue Wiederherstellungscodes erzeugt
event-code-used = Sie haben einen Wiederherstellungscode benutzt
event-devices-forgotten = Sie haben Browser vergessen lassen
event-factors-removed = Ihre zweiten Faktoren wurden für Sie entfernt
event-token-made = Ein Token wurde erzeugt, mit dem ein Programm für Sie handelt
event-token-ended = Das Token eines Programms wurde beendet

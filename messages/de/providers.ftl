# Anmelden über andere. $provider ist ein anderer Dienst, $email eine Adresse, $date ein Tag.

sign-in-with = Mit { $provider } anmelden

trouble-not-signed-in = Sie sind nicht angemeldet
    .message = Sie kamen von { $provider } zurück, ohne sich dort anzumelden. Es ist nichts geschehen. Versuchen Sie es noch einmal, oder melden Sie sich anders an.
trouble-too-late = Das hat zu lange gedauert
    .message = Bei { $provider } vergingen mehr als zehn Minuten, deshalb haben wir zu Ihrer Sicherheit aufgehört. Bitte versuchen Sie es noch einmal.
trouble-not-back = Bitte noch einmal in diesem Browser
    .message = Was von { $provider } zurückkam, wurde nicht hier begonnen, oder Ihr Browser behält unsere Cookies nicht. Es ist nichts geschehen.
trouble-unreachable = Wir erreichen den anderen Dienst nicht
    .message = { $provider } antwortet uns gerade nicht. Versuchen Sie es später noch einmal, oder melden Sie sich anders an.
trouble-not-believed = Das hat nicht geklappt
    .message = Was { $provider } uns über Sie gesagt hat, konnten wir nicht verwenden. Es ist nichts geschehen. Versuchen Sie es noch einmal, oder melden Sie sich anders an.
trouble-too-many = Zu viele Versuche
    .message = Zu viele versuchen gerade, sich aus Ihrem Netz anzumelden, auch über { $provider }. Warten Sie eine Minute, und versuchen Sie es dann noch einmal.
trouble-disabled = Dieses Konto kann nicht benutzt werden
    .message = Das Konto, das bei { $provider } zu Ihnen gehört, wurde hier geschlossen.
trouble-unverified = Wir brauchen eine bestätigte E-Mail-Adresse
    .message = { $provider } sagt nicht, dass Ihre E-Mail-Adresse Ihnen gehört. Bestätigen Sie sie dort und versuchen Sie es noch einmal, oder melden Sie sich anders an.
trouble-other-address = Das ist eine andere E-Mail-Adresse
    .message = { $provider } kennt Sie unter einer anderen Adresse als dieses Konto. Verbinden lässt sich nur, was dieselbe Adresse hat.
trouble-no-sign-up = Es gibt noch kein Konto für Sie
    .message = Durch Anmelden mit { $provider } können Sie kein Konto anlegen. Wenn Sie eingeladen wurden, öffnen Sie zuerst den Link der Einladung.
trouble-sign-in-first = Sie haben schon ein Konto
    .message = Ein Konto hat die Adresse, die { $provider } uns genannt hat. Melden Sie sich an wie immer. Dann fragen wir einmal, ob wir beides verbinden sollen.
trouble-not-linked = Das ließ sich nicht verbinden
    .message = Bei { $provider } sind Sie mit einem anderen Konto verbunden, oder dieses Konto wurde inzwischen geändert.

identities-title = Andere Wege zur Anmeldung
identities-lead = Mit diesen Diensten können Sie sich hier anmelden.
identities-none = Noch keine.
identities-since = Verbunden am { $date }
identities-used = zuletzt benutzt am { $date }
identities-unlink = Trennen
identities-unlinked = Damit kann sich hier niemand mehr anmelden.
identities-last-way = Das ist der einzige Weg, sich bei Ihrem Konto anzumelden. Wählen Sie zuerst ein Passwort.
identities-link-heading = Weiteren Dienst verbinden
identities-link-lead = Er muss Sie unter der Adresse dieses Kontos kennen, { $email }.
identities-link = { $provider } verbinden
identities-confirm = Beides verbinden?
identities-confirm-lead = Wer sich bei Ihrem Konto bei { $provider } anmeldet, ist von jetzt an hier als { $email } angemeldet.
identities-confirm-do = Verbinden
identities-confirm-leave = Nicht verbinden
identities-confirm-not-you = Wenn Sie nicht gerade von dort kommen, verbinden Sie nichts.

event-identity-linked = Sie haben einen weiteren Weg zur Anmeldung verbunden
event-identity-unlinked = Sie haben einen Weg zur Anmeldung getrennt

# Das eigene Konto einer Person.

settings-title = Ihr Konto
settings-name = Name
settings-name-save = Namen speichern
settings-name-saved = Ihr Name ist gespeichert.
settings-email-verified = bestätigt
settings-email-unverified = nicht bestätigt
settings-email-verify = Link zum Bestätigen schicken
settings-email-change = Adresse ändern
settings-email-new = Neue E-Mail-Adresse
settings-email-hint = Wir schicken einen Link dorthin. Ihr Konto behält die alte Adresse, bis Sie ihn öffnen.
settings-email-send = Link schicken
settings-email-sent = Eine E-Mail mit einem Link ist unterwegs an { $email }. Bis Sie ihn öffnen, ändert sich nichts.
settings-email-same = Ihr Konto hat diese Adresse schon.
settings-mail-sent = Eine E-Mail mit einem Link ist unterwegs an { $email }.
settings-no-mail = { $server } verschickt keine E-Mails. Fragen Sie, wer den Server betreibt.
settings-password-change = Passwort ändern
settings-password-current = Jetziges Passwort
settings-password-ends = Alle anderen Browser werden abgemeldet. Verbundene Apps bleiben verbunden.
settings-password-changed = Ihr Passwort ist geändert. Alle anderen Browser wurden abgemeldet; verbundene Apps bleiben verbunden.
settings-password-none = Sie melden sich ohne Passwort an. Wählen Sie zuerst eines, wenn Sie Ihre Adresse ändern, Ihre Daten herunterladen oder das Konto löschen möchten.
settings-password-ask = Link zum Wählen eines Passworts schicken
settings-wrong-password = Das ist nicht Ihr jetziges Passwort.
settings-too-many-mails = Sie haben in letzter Zeit mehrere Links angefordert. Nehmen Sie den neuesten, oder versuchen Sie es morgen wieder.
settings-meanwhile = Ihr Konto wurde inzwischen geändert, vielleicht in einem anderen Fenster. Sehen Sie es sich an und versuchen Sie es noch einmal.
settings-other-account = Sie haben sich inzwischen mit einem anderen Konto angemeldet: diesem hier. Es wurde nichts geändert.
settings-language-lead = Für diese Seiten und für E-Mails an Sie
settings-language-browser = Die, um die mein Browser bittet
settings-language-save = Sprache speichern
settings-export = Ihre Daten
settings-export-lead = Alles herunterladen, was über Sie gespeichert ist
settings-export-do = Herunterladen
settings-delete = Konto löschen
settings-delete-lead = Die nächste Seite sagt, was damit endet.
settings-delete-open = Mein Konto löschen

## Gehen

delete-lead = Das löscht das Konto von { $email } und lässt sich nicht rückgängig machen.
delete-ends = Was endet
delete-apps = { $count ->
    [0] Es ist keine App verbunden.
    [one] Eine App wird getrennt und kann nichts mehr in Ihrem Namen tun.
   *[other] { $count } Apps werden getrennt und können nichts mehr in Ihrem Namen tun.
 }
delete-sessions = { $count ->
    [one] Sie werden in diesem Browser abgemeldet.
   *[other] Sie werden in { $count } Browsern abgemeldet.
 }
delete-data = Ihr Name, Ihre Adresse, Ihr Passwort und die Liste dessen, was Sie erlaubt haben, werden gelöscht.
delete-services = Dienste, die Sie hier angemeldet haben, bleiben und gehören dann dem Betreiber.
delete-kept = Es bleibt ein Protokoll dessen, was geschehen ist, unter einer Nummer ohne Ihren Namen, mit den Netzwerkadressen, von denen es ausging.
delete-do = Konto endgültig löschen
delete-keep = Konto behalten
deleted-heading = Ihr Konto ist gelöscht
deleted-lead = Alles darin ist weg, Apps sind getrennt, und Sie sind abgemeldet. Sie können diese Seite schließen.

# La cuenta propia de una persona.

settings-title = Su cuenta
settings-name = Nombre
settings-name-save = Guardar el nombre
settings-name-saved = Su nombre está guardado.
settings-email-verified = confirmado
settings-email-unverified = sin confirmar
settings-email-verify = Enviarme un enlace para confirmarlo
settings-email-change = Cambiar la dirección
settings-email-new = Correo electrónico nuevo
settings-email-hint = Le enviaremos un enlace. Su cuenta conserva la dirección anterior hasta que lo abra.
settings-email-send = Enviar el enlace
settings-email-sent = Un correo con un enlace va en camino a { $email }. Nada cambia hasta que lo abra.
settings-email-same = Su cuenta ya tiene esta dirección.
settings-mail-sent = Un correo con un enlace va en camino a { $email }.
settings-no-mail = { $server } no envía correo. Pregunte a quien lo administra.
settings-password-change = Cambiar la contraseña
settings-password-current = Contraseña actual
settings-password-ends = Se cerrará la sesión en los demás navegadores. Las aplicaciones conectadas siguen conectadas.
settings-password-changed = Su contraseña ha cambiado. Se cerró la sesión en los demás navegadores; las aplicaciones conectadas siguen conectadas.
settings-password-none = Usted inicia sesión sin contraseña. Elija una primero si quiere cambiar su dirección, descargar sus datos o eliminar la cuenta.
settings-password-ask = Enviarme un enlace para elegir una contraseña
settings-wrong-password = Esa no es su contraseña actual.
settings-too-many-mails = Ha pedido varios enlaces últimamente. Use el más reciente o inténtelo de nuevo mañana.
settings-meanwhile = Su cuenta ha cambiado mientras tanto, quizá en otra ventana. Mírela e inténtelo de nuevo.
settings-other-account = Mientras tanto ha iniciado sesión con otra cuenta: esta. No se ha cambiado nada.
settings-language-lead = Para estas páginas y para los correos que recibe
settings-language-browser = El que pide mi navegador
settings-language-save = Guardar el idioma
settings-export = Sus datos
settings-export-lead = Descargar todo lo que se guarda sobre usted
settings-export-do = Descargar
settings-delete = Eliminar la cuenta
settings-delete-lead = La página siguiente dice qué termina con ella.
settings-delete-open = Eliminar mi cuenta

## Marcharse

delete-lead = Esto elimina la cuenta de { $email } y no se puede deshacer.
delete-ends = Qué termina
delete-apps = { $count ->
    [0] No hay ninguna aplicación conectada.
    [one] Una aplicación se desconecta y ya no puede hacer nada en su nombre.
   *[other] { $count } aplicaciones se desconectan y ya no pueden hacer nada en su nombre.
 }
delete-sessions = { $count ->
    [one] Se cierra la sesión en este navegador.
   *[other] Se cierra la sesión en { $count } navegadores.
 }
delete-data = Se eliminan su nombre, su dirección, su contraseña y la lista de lo que permitió.
delete-services = Los servicios que registró aquí permanecen y pasan a quien administra este sitio.
delete-kept = Queda un registro de lo que ocurrió, bajo un número sin su nombre, con las direcciones de red desde las que se hizo.
delete-do = Eliminar la cuenta para siempre
delete-keep = Conservar la cuenta
deleted-heading = Su cuenta está eliminada
deleted-lead = Todo lo que había en ella ha desaparecido, las aplicaciones están desconectadas y la sesión está cerrada. Puede cerrar esta página.

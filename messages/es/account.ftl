# Las páginas para quien ha iniciado sesión; véase el archivo inglés.

date = { $day } de { $month ->
    [1] enero
    [2] febrero
    [3] marzo
    [4] abril
    [5] mayo
    [6] junio
    [7] julio
    [8] agosto
    [9] septiembre
    [10] octubre
    [11] noviembre
   *[12] diciembre
 } de { $year }
places-label = Sus páginas

## Aplicaciones conectadas

apps-title = Aplicaciones conectadas
apps-lead = Estas aplicaciones pueden actuar en su nombre. Desconecte las que ya no use.
apps-none = No hay nada conectado. Cuando permita una aplicación, aparecerá aquí.
apps-uses = { $client } usa { $plugin }
apps-since = Permitida el { $date }
apps-connections = { $count ->
    [one] Una conexión
   *[other] { $count } conexiones
 }
apps-connected = Conectada el { $date }
apps-connected-from = Conectada el { $date } desde { $address }
apps-refreshed = usada por última vez el { $date }
apps-not-refreshed = usada solo al principio
apps-unused = Permitida, pero sin conexión en este momento.
apps-disconnect = Desconectar
apps-disconnect-one = Desconectar solo esta
apps-disconnected = { $client } ya no puede usar { $plugin }. { $count ->
    [0] No había nada conectado.
    [one] Ha terminado una conexión.
   *[other] Han terminado { $count } conexiones.
 }
apps-disconnected-one = Ha terminado una conexión de { $client }. Las demás siguen.
apps-history = Qué ha ocurrido

event-account-added = Se creó su cuenta
event-email-verified = Confirmó su correo electrónico
event-email-changed = Se cambió su correo electrónico
event-password-changed = Se cambió su contraseña
event-sessions-ended = Cerró la sesión de otros navegadores
event-signed-out-everywhere = Cerró todas las sesiones y desconectó todas las aplicaciones
event-consent-granted = Permitió { $client }
event-consent-revoked = Desconectó { $client }
event-connected = { $client } se conectó
event-connection-ended = Terminó una conexión de { $client }

## Dónde se ha iniciado sesión

sessions-title = Dónde ha iniciado sesión
sessions-lead = Si no reconoce uno de estos navegadores, cierre su sesión y cambie su contraseña.
sessions-here = Este navegador
sessions-browser = { $browser } en { $system }
sessions-some-browser = { $name }
sessions-unknown = Un navegador
sessions-since = Sesión iniciada el { $date }
sessions-end = Cerrar sesión
sessions-end-others = Cerrar la sesión de los demás navegadores
sessions-ended = { $count ->
    [0] La sesión ya estaba cerrada.
    [one] Se cerró la sesión de un navegador.
   *[other] Se cerró la sesión de { $count } navegadores.
 }
sessions-everything-heading = Cerrar todas las sesiones
sessions-everything-lead = Esto cierra también la sesión de este navegador y desconecta todas las aplicaciones. Tendría que permitirlas de nuevo.
sessions-end-everything = Cerrar todas las sesiones y desconectar todas las aplicaciones

## Crear una cuenta, y enlaces por correo

links-sign-up = Cree su cuenta
links-ask-sign-up = Díganos su correo electrónico. Le enviaremos un enlace con el que elegirá su nombre y su contraseña.
links-reset = Elegir una contraseña nueva
links-ask-reset = Díganos el correo electrónico de su cuenta. Le enviaremos un enlace.
links-verify = ¿Es esta su dirección?
links-change = ¿Usar esta dirección?
links-restore = Recuperar su cuenta
links-send = Enviarme un enlace
links-back-to-sign-in = Volver a iniciar sesión
links-check-mail = Mire su correo
links-mail-sent = Si hay algo que hacer para { $email }, un correo con un enlace va en camino.
links-no-mail = ¿No ha llegado nada? Mire en el correo no deseado, compruebe cómo está escrita o inténtelo de nuevo dentro de unos minutos.
links-for = para { $email }
links-new-password = Contraseña nueva
links-password-hint = Al menos { $count } caracteres. Unas cuantas palabras sin relación son fáciles de recordar y difíciles de adivinar.
links-reset-ends = Se cerrará la sesión donde la tenga iniciada, y tendrá que permitir de nuevo las aplicaciones conectadas.
links-make-account = Crear la cuenta
links-save-password = Guardar la contraseña
links-confirm = Sí, es mi dirección
links-not-you = Si no lo es, cierre esta página. No ocurrirá nada.
links-done = Hecho
links-done-verify = Su dirección está confirmada.
links-done-change = Su cuenta tiene ahora esta dirección.
links-done-reset = Tiene una contraseña nueva. Inicie sesión con ella.
links-done-restore = Su cuenta vuelve a ser suya. Inicie sesión con la contraseña nueva.
sign-in-forgot = ¿Olvidó su contraseña?
sign-in-sign-up = Crear una cuenta
field-name = Su nombre
field-name-wrong = Escriba su nombre: de 1 a 100 caracteres visibles.
field-email-wrong = Eso no es un correo electrónico. Compruébelo.
field-email-taken = Mientras tanto, otra cuenta tiene esta dirección.
password-too-short = Esa contraseña es demasiado corta: necesita al menos { $count } caracteres.
password-too-long = Esa contraseña es demasiado larga.
password-known = Esa contraseña es de las primeras que cualquiera probaría. Elija otra, por ejemplo unas palabras sin relación.
password-personal = Esa contraseña está hecha de nombres que cualquiera puede saber. Elija otra, por ejemplo unas palabras sin relación.

# Iniciar sesión a través de otros. $provider es otro servicio, $email una dirección, $date un día.

sign-in-with = Iniciar sesión con { $provider }

trouble-not-signed-in = No ha iniciado sesión
    .message = Ha vuelto de { $provider } sin iniciar sesión allí. No ha pasado nada. Puede intentarlo de nuevo o iniciar sesión de otra manera.
trouble-too-late = Ha tardado demasiado
    .message = Han pasado más de diez minutos en { $provider }, así que lo hemos detenido por su seguridad. Inténtelo de nuevo.
trouble-not-back = Inténtelo de nuevo en este navegador
    .message = Lo que ha vuelto de { $provider } no se empezó aquí, o su navegador no guarda nuestras cookies. No ha pasado nada.
trouble-unreachable = No podemos contactar con el otro servicio
    .message = { $provider } no nos responde en este momento. Inténtelo más tarde o inicie sesión de otra manera.
trouble-not-believed = No ha funcionado
    .message = No hemos podido usar lo que { $provider } nos ha dicho de usted. No ha pasado nada. Inténtelo de nuevo o inicie sesión de otra manera.
trouble-too-many = Demasiados intentos
    .message = Demasiadas personas intentan iniciar sesión desde su red, también con { $provider }. Espere un minuto e inténtelo de nuevo.
trouble-disabled = Esta cuenta no se puede usar
    .message = La cuenta que le corresponde en { $provider } se ha cerrado aquí.
trouble-unverified = Necesitamos una dirección de correo confirmada
    .message = { $provider } no dice que su dirección de correo sea suya. Confírmela allí e inténtelo de nuevo, o inicie sesión de otra manera.
trouble-other-address = Es otra dirección de correo
    .message = { $provider } le conoce por otra dirección que la de esta cuenta. Solo se puede vincular la que tenga la misma dirección.
trouble-no-sign-up = Todavía no hay una cuenta para usted
    .message = No se puede crear una cuenta iniciando sesión con { $provider }. Si ha recibido una invitación, abra primero su enlace.
trouble-sign-in-first = Ya tiene una cuenta
    .message = Una cuenta tiene la dirección que nos ha dado { $provider }. Inicie sesión como siempre. Después le preguntaremos una vez si quiere vincular las dos.
trouble-not-linked = No se ha podido vincular
    .message = En { $provider } está vinculado con otra cuenta, o esta cuenta se ha cambiado entretanto.

identities-title = Otras maneras de iniciar sesión
identities-lead = Con estos servicios puede iniciar sesión aquí.
identities-none = Todavía ninguna.
identities-since = Vinculado el { $date }
identities-used = usado por última vez el { $date }
identities-unlink = Desvincular
identities-unlinked = Ya no sirve para iniciar sesión aquí.
identities-last-way = Es la única manera de iniciar sesión en su cuenta. Elija antes una contraseña.
identities-link-heading = Vincular otro
identities-link-lead = Debe conocerle por la dirección de esta cuenta, { $email }.
identities-link = Vincular { $provider }
identities-confirm = ¿Vincular las dos?
identities-confirm-lead = Desde ahora, quien inicie sesión en su cuenta de { $provider } la habrá iniciado aquí como { $email }.
identities-confirm-do = Vincular
identities-confirm-leave = No vincular
identities-confirm-not-you = Si no viene ahora mismo de allí, no las vincule.

event-identity-linked = Vinculó otra manera de iniciar sesión
event-identity-unlinked = Desvinculó una manera de iniciar sesión

# Lo que las páginas dicen a las personas; las explicaciones están en el archivo inglés. De usted, breve y sin reproches.

## Todas las páginas

foot-home = Aquí no entra nadie si usted no dice que sí.
languages-label = Idioma
reference = Si pide ayuda, mencione este número:

## Iniciar sesión

sign-in-title = Iniciar sesión
sign-in-to-connect = para conectar { $client } con { $plugin }. En la página siguiente usted decide qué puede hacer.
sign-in-plain = con su cuenta de { $server }.
sign-in-refused = El correo electrónico y la contraseña no coinciden. Inténtelo de nuevo.
sign-in-too-many = Ha habido demasiados intentos. Espere unos minutos e inténtelo de nuevo.
sign-in-foot-for = Su contraseña se queda aquí. { $client } nunca la ve.
sign-in-foot = Su contraseña se queda aquí. Las aplicaciones conectadas nunca la ven.
sign-in-do = Iniciar sesión
field-email = Correo electrónico
field-password = Contraseña

## Cerrar sesión

signed-out-title = Sesión cerrada
signed-out-heading = Ha cerrado la sesión
signed-out-lead = Este navegador ya no le reconoce. Puede cerrar esta página.
signed-out-apps = Las aplicaciones que ha permitido siguen conectadas hasta que usted les retire el permiso.
sign-out-do = Cerrar sesión

## La página de inicio

home-title = Bienvenida
home-heading = Usted decide quién entra
home-lead = Los asistentes como ChatGPT vienen a { $server } cuando usted quiere que trabajen con un servicio en su nombre. Aquí inicia sesión, lee lo que piden y dice sí o no.
home-nobody = No ha iniciado sesión. Empiece en su asistente, o inicie sesión para ver sus aplicaciones conectadas.
home-console = Los plugins de los que usted se ocupa
signed-in-as = Sesión iniciada como

## Consentimiento

consent-title = ¿Permitir el acceso?
consent-heading = ¿Permitir que { $client } use { $plugin }?
consent-from-owner = Configurada por los responsables de { $plugin }.
consent-from-host = Una aplicación publicada por { $host }.
consent-calls-itself = Se hace llamar «{ $name }».
consent-unproven = Esta aplicación eligió su propio nombre. Nadie ha comprobado quién la hizo.
consent-another-account = Usar otra cuenta
consent-can = Si lo permite, { $client } podrá
consent-whole-plugin = Usar { $plugin } en su nombre
consent-new = Nuevo
consent-withheld = También ha pedido esto, que { $plugin } no te deja permitir:
consent-choice = Desmarque lo que no quiera permitir.
consent-nothing-ticked = No hay nada marcado. Marque lo que quiera permitir o elija «No permitir».
consent-lasts = La conexión dura hasta que usted la retire, como máximo { $most ->
    [one] un día
   *[other] { $most } días
 }, y termina por sí sola si no se usa durante { $unused ->
    [one] un día
   *[other] { $unused } días
 }.
consent-leads-to = Después se le enviará a
consent-only-site = Permítalo solo si acaba de pedir a { $client } que se conecte y si viene de esta dirección.
consent-only-program = cualquier programa de este ordenador puede hacerse llamar { $client }. Permítalo solo si acaba de iniciar la conexión desde un programa en el que confía.
consent-only-app = cualquier aplicación de este dispositivo puede hacerse llamar { $client }. Permítalo solo si acaba de iniciar la conexión desde una aplicación en la que confía.
take-care = Atención:
consent-allow = Permitir
consent-deny = No permitir
consent-take-back = Puede retirar este permiso en cualquier momento: abra { $apps } en este sitio.
consent-apps = sus aplicaciones conectadas
consent-take-back-there = Puede retirar este permiso en cualquier momento: desconecte { $plugin } en { $client } o escriba a la dirección de abajo.
consent-about = Acerca de { $plugin }
consent-address = Dirección
consent-contact = Contacto
consent-legal = Aviso legal
consent-foot = { $client } nunca ve su contraseña.

## Cuando un plugin no está abierto

closed-title = No está abierto para ti
closed-heading = { $plugin } no está abierto para ti
closed-lead = Quienes gestionan { $plugin } han elegido quién puede conectarse. Esta cuenta no está entre ellas, o solo para otras cosas que las que se pidieron. No se ha conectado nada.
closed-unverified = La dirección de correo de esta cuenta aún no está confirmada. Si te admitieron por tu dirección, confírmala primero en tu cuenta y empieza de nuevo.
closed-ask = Si crees que deberías poder entrar, escribe a { $email }.
closed-leads-to = Volver lleva a
closed-back = Volver a { $client }

## Adónde lleva una respuesta

place-program = Un programa de este ordenador
place-app = Una aplicación de este dispositivo

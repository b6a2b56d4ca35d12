# Los segundos factores; véase el archivo en inglés.

## How one signs in

security-title = Cómo inicia sesión
security-lead = Con un segundo factor no entra nadie que solo conozca su contraseña.
security-asked = Lo que se le pide permitir requiere un segundo factor. Configure uno aquí y luego continúe.
security-go-on = Continuar
security-added = Se ha añadido.
security-not-added = No se ha añadido: ya estaba, o ha tardado demasiado. Inténtelo de nuevo.
security-removed = Se ha eliminado.
security-last-way = No se ha eliminado: no le quedaría ninguna forma de iniciar sesión.
security-forgotten = Allí se le volverá a pedir un segundo factor.
security-lost = Si pierde todo lo que figura aquí, solo quien gestiona { $server } puede volver a dejarle entrar.

## Passkeys

passkeys-heading = Claves de acceso
passkeys-lead = Inicie sesión con el dedo, la cara, un PIN o una llave de seguridad, sin contraseña.
passkey-added = Añadida el { $date }
passkey-used = usada por última vez el { $date }
passkey-not-used = aún sin usar
passkey-name = Nombre para una clave de acceso nueva
passkey-unnamed = Clave de acceso
passkey-add = Añadir una clave de acceso
passkey-remove = Eliminar
passkey-failed = Su dispositivo no dio ninguna clave de acceso. Inténtelo de nuevo.

## Authenticator app

app-heading = Aplicación de autenticación
app-lead = Una aplicación de su teléfono muestra un código que cambia cada 30 segundos.
app-since = Configurada el { $date }
app-set-up = Configurar una aplicación
app-remove = Eliminar la aplicación
app-scan = Capture esta imagen con la aplicación y escriba el código que muestra.
app-type = O escriba esta clave en la aplicación:
app-picture = Código QR con la clave
app-code = Código
app-code-wrong = Ese no es el código que la aplicación muestra ahora. Espere al siguiente.
app-confirm = Confirmar

## Recovery codes

codes-heading = Códigos de recuperación
codes-lead = Cada uno sirve una vez, el día en que pierda sus otros segundos factores.
codes-left = { $count ->
    [one] Queda un código.
   *[other] Quedan { $count } códigos.
 }
codes-make = Crear códigos nuevos
codes-title = Sus códigos de recuperación
codes-once = Anótelos ahora: solo se muestran esta vez. Los anteriores ya no sirven.
codes-kept = Los he guardado

## Remembered browsers

devices-heading = Navegadores recordados
devices-lead = En estos no se le pide un segundo factor.
device-until = Hasta el { $date }
device-forget = Olvidar
devices-forget = Olvidar todos

## Showing a second factor

second-step-title = Segundo paso
second-step-lead = Ya casi está, { $name }. Muestre su segundo factor.
second-step-code = Código de su aplicación o un código de recuperación
second-step-passkey = Usar una clave de acceso
second-step-remember = No preguntar en este navegador durante 30 días
second-step-do = Continuar
second-step-wrong = No era correcto. Cada código sirve una vez: espere al siguiente.
second-step-other = Usar otra cuenta
prove-title = ¿Es usted?
prove-lead = Muestre una vez más que es { $name }, porque esto es importante.
sign-in-passkey = Iniciar sesión con una clave de acceso
sign-in-passkey-refused = Esta clave de acceso no abre nada aquí. Inicie sesión de otra forma.

## What happened

event-passkey-added = Añadió una clave de acceso
event-passkey-removed = Eliminó una clave de acceso
event-app-added = Configuró una aplicación de autenticación
event-app-removed = Eliminó la aplicación de autenticación
event-codes-made = Creó códigos de recuperación nuevos
event-code-used = Usó un código de recuperación
event-devices-forgotten = Hizo olvidar navegadores
event-factors-removed = Se eliminaron por usted sus segundos factores
event-token-made = Se creó un token con el que un programa actúa por usted
event-token-ended = Se anuló el token de un programa

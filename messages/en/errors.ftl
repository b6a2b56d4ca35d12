# Why a page is not shown, or a request not answered. Each has what happened as its value, what that means as
# .message, and what to do about it as .advice, which may be missing.

error-what-to-do = What you can do

error-unknown-client = We don’t know this app
    .message = The app that sent you here is not registered with us, or has been switched off.
    .advice = Nothing was shared. If you own the app, check its client ID.
error-foreign-redirect-uri = This app’s return address is not registered
    .message = The app asked us to send you back to an address its owner has not registered, so we stopped here.
    .advice = Nothing was shared. If you own the app, register the exact callback URL it uses.
error-malformed = This link is incomplete
    .message = The app that sent you here left out something we need to continue.
    .advice = Nothing was shared. Go back to the app and try again.
error-too-old = This page has expired
    .message = You took longer than an hour, so we closed the request to keep you safe.
    .advice = Go back to the app and start again.
error-other-browser = Please start again in this browser
    .message = This request was started in another browser, or your browser does not keep our cookies.
    .advice = Allow cookies for this site, then go back to the app and start again.
error-unreadable = This link is not complete
    .message = Part of the address is missing or was changed on the way.
    .advice = Go back to the app and start again.
error-forged-form = We could not confirm it was you
    .message = The form did not come from our own page in this browser, so we did nothing.
    .advice = Go back, reload the page and try again.
error-too-large = That was too much
    .message = The form is larger than we accept.
    .advice = Go back and try again.
error-for-now = We’ll be right back
    .message = We cannot answer at the moment. Nothing you did is lost.
    .advice = Please try again in a few seconds.
error-ours = Something went wrong on our side
    .message = We have made a note of it.
    .advice = Please try again. If it happens again, tell us the number below.
error-not-found = There is nothing here
    .message = This address does not exist on this site.
    .advice = Check the address, or go back to the app you came from.
error-link-gone = This link is no longer good
    .message = It was used already, it is too old, or a newer one was sent.
    .advice = Ask for a new one where you asked for this one.
error-not-offered = That is not possible here
    .message = This site does not let people do that by themselves.
    .advice = Ask the people who run it.
error-method = This cannot be done here
    .message = This address does not take that kind of request.
    .advice = Go back to the app you came from and try again.

## What an app says about itself at its maker's website. $why is for its owner, in English.

error-document-not-accepted = We don’t know this app
    .message = The app that sent you here is not registered with us, and its maker is not one we take a word from.
    .advice = Nothing was shared. If you own the app, ask the people who run this site to let it in.
error-document-invalid = This app’s description has a mistake
    .message = The app that sent you here describes itself in a way we cannot rely on, so we stopped here.
    .advice = Nothing was shared. If you own the app: { $why }.
error-document-refused = We could not read this app’s description
    .message = Before we let an app in we read its description at its maker’s website, and there we were not given it.
    .advice = Nothing was shared. If you own the app: { $why }.
error-document-out-of-reach = We could not reach the app’s maker
    .message = Before we let an app in we read its description at its maker’s website, and that did not answer.
    .advice = Nothing was shared. Please try again in a minute.

## A request whose answer is not sent on by itself

error-refused = This app’s request cannot be answered
    .message = The app that sent you here asked for something in a way we cannot answer, so we stopped here. Nothing was shared.
refused-leads-to = Going on would take you to
refused-unchecked = Nobody here has checked where that leads. Go on only if it is where you came from; otherwise close this page.
# $place is a host, or the name of a kind of link.
refused-go-on = Go on to { $place }
refused-owner = If you own the app
# $problem is for the app's owner, in English.
refused-problem = This is what it is told: { $problem }.

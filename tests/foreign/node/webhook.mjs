// Verifies a webhook as an owner's API would, with the library of the format. What came is in the environment, and so is
// whether it is to be taken or refused.

import { Webhook } from "standardwebhooks";
import { begin, hold, setting, tell, versioned } from "./report.mjs";

await tell(versioned("standardwebhooks"), () => {
  const [secret, headers, body] = [setting("SECRET"), JSON.parse(setting("HEADERS")), setting("BODY")];
  begin("verifying");
  let event = null;
  try {
    event = new Webhook(secret).verify(body, headers);
  } catch (refusal) {
    hold("it is refused for its signature", refusal.name === "WebhookVerificationError");
  }
  hold("it is as it was to be", (event === null) === (setting("EXPECTED") === "refused"));
  return { event };
});

"""Verifies a webhook as an owner's API would, with the library of the format.

What came is in the environment, and so is whether it is to be taken or refused.
"""

import json
import os
import sys
from importlib.metadata import version

from standardwebhooks import Webhook, WebhookVerificationError

from report import Report


def main():
    report = Report(f"standardwebhooks {version('standardwebhooks')}")
    report.step = "verifying"
    event = None
    try:
        event = Webhook(os.environ["SECRET"]).verify(os.environ["BODY"], json.loads(os.environ["HEADERS"]))
    except WebhookVerificationError:
        pass
    try:
        report.hold("it is as it was to be", (event is None) == (os.environ["EXPECTED"] == "refused"))
    except Exception as why:
        return report.failed(str(why))
    return report.succeeded({"event": event})


sys.exit(main())

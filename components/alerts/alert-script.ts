/** The program with which a server tells people that something failed, and the files that belong to it. Pure. */
import { alertCommand, alertsFile } from "../../common/server-contract.ts";

export interface AlertSettings {
  readonly stack: string;
  readonly server: string;
  /** URL that gets each alert as JSON. */
  readonly webhook?: string | undefined;
  readonly email?: AlertEmail | undefined;
  /** URLs that are called when something ran well, by its name. */
  readonly heartbeats: Readonly<Record<string, string>>;
}

export interface AlertEmail {
  readonly to: string;
  readonly from: string;
  readonly host: string;
  /** 465: TLS from the beginning; otherwise STARTTLS where the server offers it, and always with a password. */
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
}

/** Text of `alertsFile`. */
export const alertsText = (settings: AlertSettings): string => `${JSON.stringify(settings)}\n`;

/** The template unit for `OnFailure=`; its instance is the unit that failed. */
export const alertService = `[Unit]
Description=Alert that %i failed

[Service]
Type=oneshot
ExecStart=${alertCommand} --unit %i
TimeoutStartSec=5min
`;

/**
 * In Python, which cloud-init brings to every server: a shell can neither write JSON nor speak SMTP. Every recipient is
 * tried; the program fails only if none can be reached.
 */
export const alertScript = String.raw`#!/usr/bin/python3
import json
import os
import smtplib
import ssl
import subprocess
import sys
import time
import urllib.request
from email.message import EmailMessage

USAGE = "usage: orion-alert SUBJECT <DETAILS | --unit UNIT | --stopped UNIT | --heartbeat NAME"
SETTINGS = os.environ.get("ORION_ALERTS", "${alertsFile}")
PAUSE = float(os.environ.get("ORION_ALERT_PAUSE", "5"))
MOST = 6000


def called(url, body=None):
    headers = {"user-agent": "orion-alert"}
    if body is not None:
        headers["content-type"] = "application/json"
    request = urllib.request.Request(url, data=body, headers=headers)
    with urllib.request.urlopen(request, timeout=15) as response:
        response.read()


def post(url, settings, subject, details):
    text = f"{subject}\n{details}".strip()
    # Slack and Mattermost show "text", Discord shows "content".
    message = {
        "text": text,
        "content": text[:1900],
        "subject": subject,
        "details": details,
        "stack": settings["stack"],
        "server": settings["server"],
    }
    called(url, json.dumps(message).encode())


def mail(to, subject, details):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = to["from"], to["to"], subject
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(details or subject)
    context = ssl.create_default_context()
    if to["port"] == 465:
        server = smtplib.SMTP_SSL(to["host"], to["port"], timeout=30, context=context)
    else:
        server = smtplib.SMTP(to["host"], to["port"], timeout=30)
    with server:
        if to["port"] != 465:
            server.ehlo()
            if server.has_extn("starttls") or to.get("password"):
                server.starttls(context=context)
        if to.get("user"):
            server.login(to["user"], to.get("password") or "")
        server.send_message(message)


def delivered(what, deliver):
    for attempt in range(3):
        if attempt:
            time.sleep(PAUSE)
        try:
            deliver()
            return True
        # Neither an address nor a password: the log shows what went wrong, not the URL.
        except Exception as error:
            print(f"orion-alert: {what}: {type(error).__name__}: {error}", file=sys.stderr)
    return False


def alert(settings, subject, details):
    subject = f"[orion {settings['stack']}] {settings['server']}: {subject}"
    details = details[-MOST:]
    print(subject)
    ways = []
    if settings.get("webhook"):
        ways.append(("the webhook", lambda: post(settings["webhook"], settings, subject, details)))
    if settings.get("email"):
        ways.append(("the e-mail", lambda: mail(settings["email"], subject, details)))
    if not ways:
        print("orion-alert: no alert is sent: the stack sets neither orion:alerts nor orion:alertWebhook")
        return 0
    return 0 if any([delivered(what, deliver) for what, deliver in ways]) else 1


def log_of(unit):
    subprocess.run(["journalctl", "--sync"], check=False)
    command = ["journalctl", "--unit", unit, "--lines", "25", "--no-pager", "--output", "short-iso"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout


def main(words):
    with open(SETTINGS, encoding="utf-8") as file:
        settings = json.load(file)
    match words:
        case ["--unit", unit]:
            return alert(settings, f"{unit} failed", log_of(unit))
        case ["--stopped", unit]:
            result = os.environ.get("SERVICE_RESULT", "success")
            return 0 if result == "success" else alert(settings, f"{unit} failed ({result})", log_of(unit))
        case ["--heartbeat", name]:
            url = settings["heartbeats"].get(name)
            return 0 if url is None or delivered(f"the heartbeat {name}", lambda: called(url)) else 1
        case [subject] if not subject.startswith("-"):
            return alert(settings, subject, "" if sys.stdin.isatty() else sys.stdin.read())
        case _:
            print(USAGE, file=sys.stderr)
            return 2


sys.exit(main(sys.argv[1:]))
`;

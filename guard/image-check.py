"""Asks an image, from the inside, what a stack needs of it. Standard library only, Python 3.8 and later.

`guard/check-image.ts` runs it in a container of the image that has the stack's limits and no network. It reads one JSON
document from standard input, and writes one line, `orion-image {...}`, to standard output. Each question is asked in a process
of its own: what an app does when it is imported (output, threads, `sys.exit`) reaches neither the others nor the answer.
"""

import json
import os
import re
import select
import shutil
import signal
import sys
import time

# As many as guard/check-image.ts gives memory for.
AT_ONCE = 2

CONNECTION_ERRORS = re.compile(
    r"OperationalError|ConnectionError|ConnectionRefused|gaierror|TimeoutError|ConnectTimeout|ServerSelectionTimeout"
    r"|InterfaceError|CannotConnectNow|ConnectError|NewConnectionError|MaxRetryError|ClientConnect"
)
REFUSED = re.compile(r"refused|Errno 111|Connect call failed", re.I)


def chain(error):
    """The exception and its causes, as texts of one line."""
    seen, texts = set(), []
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        lines = str(error).strip().splitlines()
        texts.append(type(error).__name__ + (": " + " ".join(lines) if lines else ""))
        error = error.__cause__ or error.__context__
    return texts


def failed(error):
    texts = chain(error)
    connects = any(CONNECTION_ERRORS.search(text.split(":")[0]) or REFUSED.search(text) for text in texts)
    return {"error": texts[0][:600], "connects": connects}


class Child:
    """A question that a process of its own answers; of what it prints, the last line is told when it ends itself."""

    def __init__(self, question, seconds):
        self.seconds = seconds
        self.ends = time.monotonic() + seconds
        self.reading, writing = os.pipe()
        self.text = b""
        self.process = os.fork()
        if self.process == 0:
            answered(question, writing)
        os.close(writing)

    def read(self):
        """Takes what has arrived. Returns whether the process has said all."""
        data = os.read(self.reading, 65536)
        self.text += data
        return not data

    def answer(self, late):
        if late:
            os.kill(self.process, signal.SIGKILL)
        os.close(self.reading)
        os.waitpid(self.process, 0)
        try:
            return json.loads(self.text)
        except ValueError:
            pass
        # On a busy machine that says nothing, and neither does an app that waits for its database.
        why = "it did not answer within %d s" % self.seconds if late else "it ends the process"
        return {"error": why, "connects": late}


def answered(question, writing):
    """Writes the answer, and ends the process."""
    os.dup2(os.open(os.devnull, os.O_RDWR), 0)
    said = os.open(os.devnull, os.O_RDWR)
    try:
        name = "/tmp/orion-check-said-%d" % os.getpid()
        said = os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
        os.unlink(name)
    except OSError:
        pass
    os.dup2(said, 1)
    os.dup2(said, 2)
    try:
        answer = question()
    except BaseException as error:
        answer = failed(error)
        if isinstance(error, SystemExit):
            sys.stderr.flush()
            sys.stdout.flush()
            os.lseek(said, 0, os.SEEK_SET)
            lines = os.read(said, 65536).decode(errors="replace").strip().splitlines()
            answer["error"] = "it ends with " + answer["error"] + "".join(": " + line.strip()[:400] for line in lines[-1:])
            answer["connects"] = answer["connects"] or any(REFUSED.search(line) for line in lines)
    with os.fdopen(writing, "w") as answers:
        answers.write(json.dumps(answer))
    os._exit(0)


def ask_all(questions):
    """The answers of questions, given as (name, question, seconds), by name. Two are asked at a time: each imports its packages anew."""
    waiting, running, answers = list(questions), {}, {}
    while waiting or running:
        while waiting and len(running) < AT_ONCE:
            name, question, seconds = waiting.pop(0)
            child = Child(question, seconds)
            running[child.reading] = (name, child)
        first = min(child.ends for _, child in running.values())
        ready = select.select(list(running), [], [], max(0.0, first - time.monotonic()))[0]
        for reading, (name, child) in list(running.items()):
            late = reading not in ready and time.monotonic() >= child.ends
            if late or (reading in ready and child.read()):
                del running[reading]
                answers[name] = child.answer(late)
    return answers


def ask_app(asked):
    """Imports the ASGI application as Uvicorn does, and asks it for its health without starting it."""
    import importlib
    import inspect

    module, _, attributes = asked["module"].partition(":")
    app = importlib.import_module(module)
    for name in attributes.split("."):
        app = getattr(app, name)
    answer = {"type": type(app).__module__ + "." + type(app).__qualname__}
    if not callable(app) or (inspect.isfunction(app) and len(inspect.signature(app).parameters) == 0):
        return {"error": "is %s, and no ASGI application" % answer["type"], "connects": False}
    answer["paths"] = {path: get(app, path, asked["port"]) for path in asked["paths"]}
    answer["start"] = start(app)
    return answer


def start(app):
    """Starts the application as Uvicorn does, and says what its startup failed with."""
    import asyncio

    async def run():
        started = asyncio.get_running_loop().create_future()
        never = asyncio.Event()
        asked_once = []

        async def receive():
            if asked_once:
                await never.wait()
            asked_once.append(True)
            return {"type": "lifespan.startup"}

        async def send(message):
            if not started.done():
                started.set_result(message)

        scope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}
        running = asyncio.ensure_future(app(scope, receive, send))
        await asyncio.wait([running, started], timeout=15, return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            message = started.result()
            if message["type"] == "lifespan.startup.complete":
                return {}
            lines = (message.get("message") or "it did not say why").strip().splitlines()
            return {"error": lines[-1][:600], "connects": bool(REFUSED.search(lines[-1]) or CONNECTION_ERRORS.search(lines[-1]))}
        # Without an answer it waits for something; with an error it has no lifespan, as Uvicorn takes it, too.
        return {}

    try:
        return asyncio.run(run())
    except BaseException as error:
        return failed(error)


def get(app, path, port):
    """The status with which the app answers a GET that looks like the health check's; no lifespan has run."""
    import asyncio

    statuses = []

    async def send(message):
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.0",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1:%d" % port), (b"connection", b"close")],
        "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", port),
    }
    try:
        asyncio.run(asyncio.wait_for(app(scope, receive, send), 10))
    except BaseException as error:
        return failed(error)
    return {"status": statuses[0]} if statuses else {"error": "no answer", "connects": False}


def ask_celery(asked):
    """Finds Celery's application as `celery -A` does, and asks it where its tasks go and how it reaches the broker."""
    import celery
    from celery.app.utils import find_app

    app = find_app(asked["celery"])
    app.finalize()
    app.loader.import_default_modules()
    answer = {"version": celery.__version__, "default": app.conf.task_default_queue}
    for package in ("kombu", "redis"):
        try:
            answer[package] = __import__(package).__version__
        except ImportError:
            answer[package] = None
    declared = dict(app.amqp.queues)
    answer["declared"] = sorted(declared)
    answer["unknown"] = [] if app.conf.task_create_missing_queues else [q for q in asked["queues"] if q not in declared]
    answer["tasks"] = tasks_of(app)
    answer["reopens"] = bool(app.conf.broker_transport_options.get("retry_on_timeout"))
    answer["early"] = early_tasks(app)
    answer["broker"] = connect(lambda: app.connection_for_read().connect())
    return answer


def tasks_of(app):
    """The queue that each task goes to when its caller names none."""
    queues = {}
    for name, task in sorted(app.tasks.items()):
        if name.startswith("celery."):
            continue
        try:
            options = {"queue": task.queue} if getattr(task, "queue", None) else {}
            queue = app.amqp.router.route(options, name, args=(), kwargs={}).get("queue")
            queue = getattr(queue, "name", queue) or app.conf.task_default_queue
        except BaseException as error:
            queue = "? " + chain(error)[0][:200]
        queues.setdefault(queue, []).append(name)
    return {queue: {"count": len(names), "some": names[:5]} for queue, names in queues.items()}


def early_tasks(app):
    """The tasks that are acknowledged before they run. With `task_acks_late` a task that says so itself was chosen to be."""
    if app.conf.task_acks_late:
        return {"count": 0, "some": []}
    own = sorted(name for name in app.tasks if not name.startswith("celery."))
    names = [name for name in own if not getattr(app.tasks[name], "acks_late", False)]
    return {"count": len(names), "some": names[:5]}


def connect(attempt):
    """Tries a connection to a port that no program listens on: a driver whose connection is refused has parsed the URL."""
    try:
        attempt()
    except BaseException as error:
        texts = chain(error)
        if any(REFUSED.search(text) or CONNECTION_ERRORS.search(text.split(":")[0]) for text in texts):
            return {"tried": True}
        return failed(error)
    return {"tried": True}


def ask_driver(name, url):
    def attempt():
        if name == "asyncpg":
            import asyncio
            import asyncpg

            asyncio.run(asyncpg.connect(url, timeout=5))
        elif name == "psycopg":
            import psycopg

            psycopg.connect(url, connect_timeout=5)
        else:
            import psycopg2

            psycopg2.connect(url, connect_timeout=5)

    return connect(attempt)


def ask_sqlalchemy(url):
    """Connects through SQLAlchemy, which chooses the driver by the scheme."""
    import sqlalchemy

    def attempt():
        dialect = sqlalchemy.engine.make_url(url).get_dialect()
        if getattr(dialect, "is_async", False):
            import asyncio
            from sqlalchemy.ext.asyncio import create_async_engine

            async def connect_once():
                async with create_async_engine(url).connect():
                    pass

            asyncio.run(connect_once())
        else:
            sqlalchemy.create_engine(url).connect()

    return connect(attempt)


def ask_command(words):
    """Whether the program of a command exists, and the script, module or configuration file that it names."""
    import importlib.util

    program, rest = words[0], words[1:]
    if shutil.which(program) is None:
        return {"error": "there is no program %s" % program, "connects": False}
    if re.match(r"python[\d.]*$", os.path.basename(program)) and rest:
        if rest[0] == "-m" and len(rest) > 1 and importlib.util.find_spec(rest[1]) is None:
            return {"error": "there is no module %s" % rest[1], "connects": False}
        if not rest[0].startswith("-") and not os.path.exists(rest[0]):
            return {"error": "there is no file %s in %s" % (rest[0], os.getcwd()), "connects": False}
    if os.path.basename(program) == "alembic":
        return ask_alembic(rest)
    return {}


def ask_alembic(words):
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    file = next((words[at + 1] for at, word in enumerate(words[:-1]) if word in ("-c", "--config")), "alembic.ini")
    if not os.path.exists(file):
        return {"error": "there is no file %s in %s" % (file, os.getcwd()), "connects": False}
    heads = ScriptDirectory.from_config(Config(file)).get_heads()
    if len(heads) > 1 and words[-1:] == ["head"]:
        return {"error": "the migrations have %d heads: %s" % (len(heads), ", ".join(heads)), "connects": False}
    return {"heads": list(heads)}


def ask_folder(path):
    try:
        name = os.path.join(path, ".orion-check-%d" % os.getpid())
        with open(name, "w"):
            pass
        os.unlink(name)
    except OSError as error:
        return {"error": str(error), "connects": False}
    return {}


def ask_entrypoint(words):
    """Whether what the image runs first passes our command on; None where that cannot be read."""
    if not words:
        return None
    path = shutil.which(words[0])
    if len(words) > 1 and os.path.basename(words[0]) in ("sh", "bash", "ash"):
        path = shutil.which(words[1]) or words[1]
    try:
        with open(path or words[0], "rb") as file:
            text = file.read(65536)
    except OSError:
        return None
    if not re.match(rb"#!.*sh", text):
        return os.path.basename(path or words[0]) not in ("uvicorn", "gunicorn", "hypercorn", "celery", "fastapi")
    return re.search(rb'\$[@*]|"\$\{@', text) is not None


def main():
    from functools import partial
    from importlib.util import find_spec

    asked = json.load(sys.stdin)
    sys.path.insert(0, os.getcwd())
    authority = "/tmp/orion-check-ca.pem"
    try:
        with open(authority, "w") as file:
            file.write(asked["authority"])
    except OSError:
        pass
    for name, value in asked["environment"].items():
        os.environ[name] = value.replace(asked["authorityFile"], authority)
    url = os.environ.get("DATABASE_URL", "")
    entrypoint = json.loads(os.environ.pop("ORION_ENTRYPOINT", "null") or "null")
    # The longest ones first.
    questions = [(("app", ""), lambda: ask_app(asked), 60)]
    if asked["celery"]:
        questions.append((("celery", ""), lambda: ask_celery(asked), 60))
    questions += [(("commands", name), partial(ask_command, words), 30) for name, words in asked["commands"].items()]
    if find_spec("sqlalchemy") is not None:
        questions += [(("urls", name), partial(ask_sqlalchemy, os.environ[name]), 20) for name in asked["urls"]]
    drivers = [name for name in ("psycopg2", "psycopg", "asyncpg") if find_spec(name) is not None]
    questions += [(("drivers", name), partial(ask_driver, name, url), 15) for name in drivers]
    answers = ask_all(questions)
    answer = {
        "python": "%d.%d.%d" % sys.version_info[:3],
        "uid": os.getuid(),
        "folder": os.getcwd(),
        "programs": {name: shutil.which(name) is not None for name in asked["programs"]},
        "folders": {path: ask_folder(path) for path in asked["folders"]},
        "entrypoint": ask_entrypoint(entrypoint),
        "app": answers["app", ""],
    }
    for kind in ("commands", "urls", "drivers"):
        answer[kind] = {name[1]: answers[name] for name, _, _ in questions if name[0] == kind}
    if asked["celery"]:
        answer["celery"] = answers["celery", ""]
        if asked["flower"]:
            answer["flower"] = find_spec("flower") is not None
    sys.stdout.write("\norion-image " + json.dumps(answer) + "\n")


main()

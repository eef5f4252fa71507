"""A tour of the emulated R2 with aws and rclone, whose programs lie beside this interpreter's."""

import json
import os
import subprocess
import sys
from pathlib import Path

folder = Path(sys.argv[2])
programs = Path(sys.executable).parent
remote = {
    "RCLONE_CONFIG": str(folder / "rclone.conf"),
    "RCLONE_CONFIG_R2_TYPE": "s3",
    "RCLONE_CONFIG_R2_PROVIDER": "Cloudflare",
    "RCLONE_CONFIG_R2_ENV_AUTH": "true",
    "RCLONE_CONFIG_R2_ENDPOINT": os.environ["AWS_ENDPOINT_URL"],
    "RCLONE_CONFIG_R2_REGION": "auto",
}


def run(program, *words, code=0):
    done = subprocess.run([programs / program, *words], capture_output=True, text=True, env={**os.environ, **remote})
    if done.returncode != code:
        raise SystemExit(f"{program} {' '.join(words)}: code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout if code == 0 else done.stderr


def same(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, expected {wanted!r}")


files = folder / "files"
for name, content in {"one.txt": "first", "deep/two.txt": "second", "deep/large": "x" * 20 * 2**20}.items():
    path = files / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)

run("aws", "s3", "mb", "s3://tour")
same("buckets", run("aws", "s3", "ls").split()[-1], "tour")
run("aws", "s3", "sync", str(files), "s3://tour/files", "--only-show-errors")
listed = json.loads(run("aws", "s3api", "list-objects-v2", "--bucket", "tour", "--query", "Contents[].[Key,Size]"))
same("objects", listed, [["files/deep/large", 20 * 2**20], ["files/deep/two.txt", 6], ["files/one.txt", 5]])
same("nothing to do", run("aws", "s3", "sync", str(files), "s3://tour/files"), "")
run("aws", "s3", "cp", "s3://tour/files/one.txt", str(folder / "back.txt"), "--only-show-errors")
same("content", (folder / "back.txt").read_text(), "first")
run("aws", "s3", "mv", "s3://tour/files/one.txt", "s3://tour/moved.txt", "--only-show-errors")
same("moved", run("aws", "s3", "ls", "s3://tour/files/").split(), ["PRE", "deep/"])
same("head", json.loads(run("aws", "s3api", "head-object", "--bucket", "tour", "--key", "moved.txt"))["ContentLength"], 5)
missing = run("aws", "s3api", "head-object", "--bucket", "tour", "--key", "none", code=255)
same("missing", "404" in missing, True)
refused = run("aws", "s3api", "put-bucket-versioning", "--bucket", "tour", "--versioning-configuration", "Status=Enabled", code=255)
same("refused", "NotImplemented" in refused, True)

same("remote", run("rclone", "lsf", "r2:").split(), ["tour/"])
same("files", sorted(run("rclone", "lsf", "--recursive", "--files-only", "r2:tour").split()), ["files/deep/large", "files/deep/two.txt", "moved.txt"])
run("rclone", "sync", str(files), "r2:tour/mirror", "--s3-chunk-size", "5Mi", "--s3-upload-cutoff", "5Mi")
run("rclone", "check", str(files), "r2:tour/mirror", "--download")
(files / "one.txt").write_text("changed")
(files / "deep" / "two.txt").unlink()
run("rclone", "sync", str(files), "r2:tour/mirror")
same("mirror", sorted(run("rclone", "lsf", "--recursive", "--files-only", "r2:tour/mirror").split()), ["deep/large", "one.txt"])
same("content", run("rclone", "cat", "r2:tour/mirror/one.txt"), "changed")
run("rclone", "moveto", "r2:tour/mirror/one.txt", "r2:tour/mirror/renamed.txt")
same("sizes", json.loads(run("rclone", "size", "--json", "r2:tour/mirror"))["count"], 2)
same("missing", "not found" in run("rclone", "ls", "r2:other", code=3), True)
run("rclone", "purge", "r2:tour/mirror")
same("purged", sorted(run("rclone", "lsf", "r2:tour").split()), ["files/", "moved.txt"])

same("not empty", "BucketNotEmpty" in run("aws", "s3", "rb", "s3://tour", code=1), True)
run("aws", "s3", "rb", "s3://tour", "--force")
same("no buckets", run("rclone", "lsf", "r2:"), "")

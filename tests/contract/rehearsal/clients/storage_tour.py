"""A tour of the emulated R2 with boto3: each answer is compared with what was asked for."""

from urllib.error import HTTPError
from urllib.request import urlopen

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

# Endpoint, key and region come from AWS_ENDPOINT_URL, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_REGION.
s3 = boto3.client("s3", config=Config(retries={"max_attempts": 0}))


def same(what, got, wanted):
    if got != wanted:
        raise SystemExit(f"{what}: got {got!r}, expected {wanted!r}")


def refused(what, code, call):
    try:
        result = call()
    except ClientError as error:
        same(f"{what}: code of the error", error.response["Error"]["Code"], code)
        return
    raise SystemExit(f"{what} was not refused: {result!r}")


def keys(**request):
    return [one["Key"] for one in s3.list_objects_v2(Bucket="tour", **request).get("Contents", [])]


# Buckets.
s3.create_bucket(Bucket="tour")
same("buckets", [one["Name"] for one in s3.list_buckets()["Buckets"]], ["tour"])
same("bucket", s3.head_bucket(Bucket="tour")["ResponseMetadata"]["HTTPStatusCode"], 200)
refused("a bucket twice", "BucketAlreadyOwnedByYou", lambda: s3.create_bucket(Bucket="tour"))
refused("a bucket that does not exist", "NoSuchBucket", lambda: s3.list_objects_v2(Bucket="other"))

# Objects: content, type and metadata come back.
put = s3.put_object(Bucket="tour", Key="a/one.txt", Body=b"first", ContentType="text/plain", Metadata={"who": "me"}, CacheControl="max-age=60")
got = s3.get_object(Bucket="tour", Key="a/one.txt")
same("object", [got["Body"].read(), got["ContentType"], got["Metadata"], got["CacheControl"], got["ETag"]], [b"first", "text/plain", {"who": "me"}, "max-age=60", put["ETag"]])
same("range", s3.get_object(Bucket="tour", Key="a/one.txt", Range="bytes=1-2")["Body"].read(), b"ir")
refused("a range behind the end", "InvalidRange", lambda: s3.get_object(Bucket="tour", Key="a/one.txt", Range="bytes=99-"))
refused("an object that does not exist", "NoSuchKey", lambda: s3.get_object(Bucket="tour", Key="none"))
refused("its head", "404", lambda: s3.head_object(Bucket="tour", Key="none"))
refused("a wrong digest", "BadDigest", lambda: s3.put_object(Bucket="tour", Key="bad", Body=b"x", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg=="))
refused("unless it has changed", "304", lambda: s3.get_object(Bucket="tour", Key="a/one.txt", IfNoneMatch=put["ETag"]))
refused("if it were another", "PreconditionFailed", lambda: s3.get_object(Bucket="tour", Key="a/one.txt", IfMatch='"0123456789abcdef0123456789abcdef"'))
refused("a new one where there is one", "PreconditionFailed", lambda: s3.put_object(Bucket="tour", Key="a/one.txt", Body=b"second", IfNoneMatch="*"))
same("it is as before", s3.get_object(Bucket="tour", Key="a/one.txt")["Body"].read(), b"first")
for name in ("a/two.txt", "b/three.txt", "four.txt", "ü & +.txt"):
    s3.put_object(Bucket="tour", Key=name, Body=name.encode())
same("names with other letters", s3.get_object(Bucket="tour", Key="ü & +.txt")["Body"].read().decode(), "ü & +.txt")
same("in order", keys(), ["a/one.txt", "a/two.txt", "b/three.txt", "four.txt", "ü & +.txt"])
same("below a prefix", keys(Prefix="a/"), ["a/one.txt", "a/two.txt"])
same("after a key", keys(StartAfter="b/three.txt"), ["four.txt", "ü & +.txt"])
top = s3.list_objects_v2(Bucket="tour", Delimiter="/")
same("folders", [one["Prefix"] for one in top["CommonPrefixes"]], ["a/", "b/"])
same("files beside them", [one["Key"] for one in top["Contents"]], ["four.txt", "ü & +.txt"])
pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket="tour", PaginationConfig={"PageSize": 2}))
same("pages", [len(page["Contents"]) for page in pages], [2, 2, 1])
same("the older list", [one["Key"] for one in s3.list_objects(Bucket="tour", Marker="b/three.txt")["Contents"]], ["four.txt", "ü & +.txt"])

# Copies.
s3.copy_object(Bucket="tour", Key="copy.txt", CopySource={"Bucket": "tour", "Key": "a/one.txt"})
same("copy", [s3.get_object(Bucket="tour", Key="copy.txt")["Body"].read(), s3.head_object(Bucket="tour", Key="copy.txt")["Metadata"]], [b"first", {"who": "me"}])
s3.copy_object(Bucket="tour", Key="copy.txt", CopySource={"Bucket": "tour", "Key": "a/one.txt"}, MetadataDirective="REPLACE", Metadata={"who": "you"})
same("copy with other metadata", s3.head_object(Bucket="tour", Key="copy.txt")["Metadata"], {"who": "you"})
refused("a copy of nothing", "NoSuchKey", lambda: s3.copy_object(Bucket="tour", Key="copy.txt", CopySource={"Bucket": "tour", "Key": "none"}))

# Uploads in parts.
part = b"x" * 5 * 2**20
upload = s3.create_multipart_upload(Bucket="tour", Key="large")["UploadId"]
same("uploads", [one["Key"] for one in s3.list_multipart_uploads(Bucket="tour")["Uploads"]], ["large"])
parts = [{"PartNumber": number, "ETag": s3.upload_part(Bucket="tour", Key="large", UploadId=upload, PartNumber=number, Body=body)["ETag"]} for number, body in ((1, part), (2, part), (3, b"end"))]
same("parts", [one["Size"] for one in s3.list_parts(Bucket="tour", Key="large", UploadId=upload)["Parts"]], [len(part), len(part), 3])
s3.complete_multipart_upload(Bucket="tour", Key="large", UploadId=upload, MultipartUpload={"Parts": parts})
same("size", s3.head_object(Bucket="tour", Key="large")["ContentLength"], 2 * len(part) + 3)
same("end", s3.get_object(Bucket="tour", Key="large", Range="bytes=-3")["Body"].read(), b"end")
uneven = s3.create_multipart_upload(Bucket="tour", Key="uneven")["UploadId"]
parts = [{"PartNumber": number, "ETag": s3.upload_part(Bucket="tour", Key="uneven", UploadId=uneven, PartNumber=number, Body=body)["ETag"]} for number, body in ((1, part), (2, part + b"y"), (3, b"end"))]
refused("parts of unequal sizes", "InvalidPart", lambda: s3.complete_multipart_upload(Bucket="tour", Key="uneven", UploadId=uneven, MultipartUpload={"Parts": parts}))
s3.abort_multipart_upload(Bucket="tour", Key="uneven", UploadId=uneven)
refused("an upload that was given up", "NoSuchUpload", lambda: s3.list_parts(Bucket="tour", Key="uneven", UploadId=uneven))

# Addresses that are signed in advance open what they name, and nothing else; botocore has to be told the signature's version.
def opened(address):
    try:
        return urlopen(address).read()
    except HTTPError as error:
        return error.code


four = {"Bucket": "tour", "Key": "four.txt"}
signing = boto3.client("s3", config=Config(signature_version="s3v4"))
address = signing.generate_presigned_url("get_object", Params=four, ExpiresIn=60)
same("signed address", opened(address), b"four.txt")
same("signed for another object", opened(address.replace("four.txt", "copy.txt")), 403)
old = boto3.client("s3", config=Config(signature_version="s3")).generate_presigned_url("get_object", Params=four, ExpiresIn=60)
same("signed in the former way", opened(old), 401)
# R2 has a second name for its only region, which clients without a setting sign for.
for region, status in (("us-east-1", 200), ("eu-west-1", 400)):
    other = boto3.client("s3", region_name=region, config=Config(retries={"max_attempts": 0}))
    try:
        got = other.head_object(**four)["ResponseMetadata"]["HTTPStatusCode"]
    except ClientError as error:
        got = error.response["ResponseMetadata"]["HTTPStatusCode"]
    same(f"signed for {region}", got, status)

# What R2 does not have.
for what, call in {
    "tags": lambda: s3.put_object_tagging(Bucket="tour", Key="four.txt", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}),
    "versions": lambda: s3.put_bucket_versioning(Bucket="tour", VersioningConfiguration={"Status": "Enabled"}),
    "a policy": lambda: s3.put_bucket_policy(Bucket="tour", Policy="{}"),
    "a list of versions": lambda: s3.list_object_versions(Bucket="tour"),
    "the client's key": lambda: s3.put_object(Bucket="tour", Key="k", Body=b"x", SSECustomerAlgorithm="AES256", SSECustomerKey="0" * 32),
    "the other class": lambda: s3.put_object(Bucket="tour", Key="k", Body=b"x", StorageClass="STANDARD_IA"),
}.items():
    refused(what, "NotImplemented", call)

# A wrong secret is refused.
wrong = boto3.client("s3", aws_secret_access_key="0" * 64, aws_access_key_id=s3._request_signer._credentials.access_key, config=Config(retries={"max_attempts": 0}))
refused("a wrong secret", "SignatureDoesNotMatch", lambda: wrong.list_buckets())

refused("deletion of a bucket with objects", "BucketNotEmpty", lambda: s3.delete_bucket(Bucket="tour"))
deleted = s3.delete_objects(Bucket="tour", Delete={"Objects": [{"Key": key} for key in [*keys(), "none"]]})
same("deleted", [len(deleted["Deleted"]), deleted.get("Errors")], [8, None])
same("nothing is left", keys(), [])
s3.delete_object(Bucket="tour", Key="none")
s3.delete_bucket(Bucket="tour")
same("no buckets", s3.list_buckets()["Buckets"], [])

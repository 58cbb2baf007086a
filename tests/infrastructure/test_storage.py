"""The table and the bucket."""

from lambdas.adapters import keys
from tests.infrastructure.templates import Resources


def test_table_is_keyed_by_owner_and_job(template: Resources) -> None:
    table = template.named("JobTable", "AWS::DynamoDB::Table")
    assert _names(table["KeySchema"]) == {"HASH": keys.OWNER, "RANGE": keys.JOB_ID}
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["TimeToLiveSpecification"] == {"AttributeName": keys.EXPIRES_AT, "Enabled": True}


def test_indexes_hold_keys_only(template: Resources) -> None:
    table = template.named("JobTable", "AWS::DynamoDB::Table")
    indexes = {index["IndexName"]: index for index in table["GlobalSecondaryIndexes"]}
    index_keys = {
        keys.BY_OWNER_INDEX: (keys.OWNER, keys.CREATED_KEY),
        keys.BY_OWNER_AND_STATUS_INDEX: (keys.OWNER_AND_STATUS, keys.CREATED_KEY),
        keys.BY_DUE_INDEX: (keys.WATCH_SHARD, keys.DUE_AT),
        keys.BY_FINGERPRINT_INDEX: (keys.OWNER, keys.FINGERPRINT),
    }
    assert indexes.keys() == index_keys.keys()
    for name, index in indexes.items():
        assert index["Projection"] == {"ProjectionType": "KEYS_ONLY"}
        partition_key, sort_key = index_keys[name]
        assert _names(index["KeySchema"]) == {"HASH": partition_key, "RANGE": sort_key}


def test_bucket_is_private_and_encrypted(template: Resources) -> None:
    bucket = template.named("ImageBucket", "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(bucket["PublicAccessBlockConfiguration"]) == 4
    (encryption,) = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert encryption["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    assert bucket["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert "CorsConfiguration" not in bucket


def test_bucket_refuses_plain_http_and_old_tls(template: Resources) -> None:
    policy = template.named("ImageBucket", "AWS::S3::BucketPolicy")
    conditions = [
        statement["Condition"]
        for statement in policy["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Principal"] == {"AWS": "*"}
    ]
    assert {"Bool": {"aws:SecureTransport": "false"}} in conditions
    assert {"NumericLessThan": {"s3:TlsVersion": 1.2}} in conditions


def test_nothing_in_the_bucket_is_for_ever(template: Resources) -> None:
    bucket = template.named("ImageBucket", "AWS::S3::Bucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {rule["Prefix"] for rule in rules if "ExpirationInDays" in rule} == {keys.UPLOAD_PREFIX, keys.JOB_PREFIX}
    assert any("AbortIncompleteMultipartUpload" in rule and "Prefix" not in rule for rule in rules)
    assert {rule["Status"] for rule in rules} == {"Enabled"}


def _names(schema: list[dict[str, str]]) -> dict[str, str]:
    return {key["KeyType"]: key["AttributeName"] for key in schema}

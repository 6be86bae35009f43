"""The topic that notifies people of finished runs."""

from typing import TYPE_CHECKING

from retainstream.settings import settings
from retainstream.storage.clients import sns
from retainstream.storage.errors import storage_errors

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_LONGEST_SUBJECT = 100


class Notifications:
    """The stack's topic. `topic_arn` is empty where the stack has none; then nothing is sent."""

    def __init__(self, topic_arn: str | None = None, client: "SNSClient | None" = None) -> None:
        self._topic_arn = settings().notification_topic_arn if topic_arn is None else topic_arn
        self._client = client

    def publish(self, subject: str, message: str) -> bool:
        """Sends a message. Returns whether the stack has a topic.

        Raises:
            StorageUnavailable: SNS did not accept it.
        """
        if not self._topic_arn:
            return False
        with storage_errors():
            (self._client or sns()).publish(TopicArn=self._topic_arn, Subject=subject[:_LONGEST_SUBJECT], Message=message)
        return True

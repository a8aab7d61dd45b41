"""Consumer groups with confluent-kafka (librdkafka) against the broker named by the first argument; prints JSON."""

import json
import sys
import time

from confluent_kafka import Consumer, ConsumerGroupTopicPartitions, Producer
from confluent_kafka.admin import AdminClient, NewTopic

BOOTSTRAP = sys.argv[1]
PARTITIONS = 6
RECORDS = 60
TIMEOUT_SECONDS = 60
admin = AdminClient({'bootstrap.servers': BOOTSTRAP})


def send(topic, start):
    producer = Producer({'bootstrap.servers': BOOTSTRAP})
    for i in range(RECORDS):
        producer.produce(topic, value=str(start + i).encode(), partition=i % PARTITIONS)
    if producer.flush(20):
        raise RuntimeError('not sent')


class Member:
    """Commits each record that it reads before it reads the next."""

    def __init__(self, group, subscription, settings):
        self.values = []
        self.consumer = Consumer(
            {
                'bootstrap.servers': BOOTSTRAP,
                'group.id': group,
                'auto.offset.reset': 'earliest',
                'enable.auto.commit': False,
                **settings,
            }
        )
        self.consumer.subscribe([subscription])

    def poll(self):
        message = self.consumer.poll(0.02)
        if message is None:
            return
        if message.error():
            raise RuntimeError(str(message.error()))
        self.values.append(int(message.value()))
        self.consumer.commit(message=message, asynchronous=False)

    def owned(self):
        return sorted(each.partition for each in self.consumer.assignment())


def until(what, members, happened):
    deadline = time.time() + TIMEOUT_SECONDS
    while not happened():
        if time.time() > deadline:
            raise RuntimeError(f'{what}: {[(m.owned(), len(m.values)) for m in members]}')
        for member in members:
            member.poll()


def committed(group):
    offsets = admin.list_consumer_group_offsets([ConsumerGroupTopicPartitions(group)])[group].result(15)
    return sum(each.offset for each in offsets.topic_partitions)


def share(name, settings, subscription=None, statically=False):
    """One reads alone, then with a second, then the second alone: what they owned, read and committed."""
    topic = f'shared.{name}'
    for future in admin.create_topics([NewTopic(topic, PARTITIONS, 1)]).values():
        future.result(15)
    half = [PARTITIONS // 2] * 2

    def join(i):
        static = {'group.instance.id': f'instance-{i}'} if statically else {}
        return Member(name, subscription or topic, {**settings, **static})

    def read(members, count):
        return len({value for member in members for value in member.values}) == count

    send(topic, 0)
    first = join(1)
    until('alone', [first], lambda: len(first.owned()) == PARTITIONS and read([first], RECORDS))
    second = join(2)
    both = [first, second]
    until('shared', both, lambda: [len(member.owned()) for member in both] == half)
    report = {'shared': sorted(first.owned() + second.owned())}
    send(topic, RECORDS)
    until('read together', both, lambda: read(both, 2 * RECORDS))
    if statically:
        # Back within its session, a static member gets what it had, and the other notices nothing.
        before = [member.owned() for member in both]
        first.consumer.close()
        back = join(1)
        until('back', [back, second], lambda: len(back.owned()) == half[0])
        report['kept'] = [back.owned(), second.owned()] == before
        first = back
    first.consumer.close()
    if not statically:
        until('taken over', [second], lambda: len(second.owned()) == PARTITIONS)
        send(topic, 2 * RECORDS)
        until('read on', [second], lambda: read(both, 3 * RECORDS))
    second.consumer.close()
    report['committed'] = committed(name)
    return report


classic = {'heartbeat.interval.ms': 200, 'session.timeout.ms': 30_000}
consumer = {'group.protocol': 'consumer'}


def strategy(name):
    return {**classic, 'partition.assignment.strategy': name}


print(
    json.dumps(
        {
            'range': share('range', strategy('range')),
            'roundrobin': share('roundrobin', strategy('roundrobin')),
            'cooperative': share('cooperative', strategy('cooperative-sticky')),
            'static': share('static', strategy('range'), statically=True),
            'consumer': share('consumer', consumer),
            'consumer range': share('consumer.range', {**consumer, 'group.remote.assignor': 'range'}),
            'consumer static': share('consumer.static', consumer, statically=True),
            'pattern': share('pattern', consumer, subscription='^shared[.]pat.*'),
        }
    )
)

"""As transform-kafkajs.ts, of librdkafka through confluent-kafka."""

import sys

from confluent_kafka import Consumer, Producer, libversion

BOOTSTRAP, INPUT, NAME = sys.argv[1:]
RECORDS = 5

common = {'bootstrap.servers': BOOTSTRAP, 'reconnect.backoff.max.ms': 200, 'log_level': 0}
# With a single broker every kill is a loss of all brokers. A librdkafka that bootstraps again then (2.16 does) forgets
# the request that it is in: send_offsets_to_transaction never returns.
if libversion()[1] >= 0x020B0000:
    common['metadata.recovery.strategy'] = 'none'
producer = Producer({**common, 'transactional.id': NAME, 'linger.ms': 0})
consumer = Consumer({
    **common,
    'group.id': NAME,
    'enable.auto.commit': False,
    'auto.offset.reset': 'earliest',
    'session.timeout.ms': 2000,
    'heartbeat.interval.ms': 300,
    'fetch.wait.max.ms': 100,
})
producer.init_transactions(60)
consumer.subscribe([INPUT])

while True:
    messages = [m for m in consumer.consume(RECORDS, 0.5) if m.error() is None]
    if not messages:
        continue
    producer.begin_transaction()
    for message in messages:
        producer.produce(NAME, value=message.value(), partition=message.partition())
    producer.send_offsets_to_transaction(
        consumer.position(consumer.assignment()), consumer.consumer_group_metadata(), 60
    )
    producer.commit_transaction(60)
    print('committed', flush=True)

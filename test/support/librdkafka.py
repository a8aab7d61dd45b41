"""A round trip with confluent-kafka (librdkafka) against the broker named by the first argument; prints JSON."""

import json
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    OffsetSpec,
)

BOOTSTRAP = sys.argv[1]
TOPIC = 'from.librdkafka'
PARTITIONS = 4
admin = AdminClient({'bootstrap.servers': BOOTSTRAP})


def results(futures):
    return [future.result(15) for future in futures.values()]


def errors(futures):
    return [future.exception(15).args[0].name() for future in futures.values()]


def administer():
    resource = ConfigResource(ConfigResource.Type.TOPIC, TOPIC)
    results(admin.create_topics([NewTopic(TOPIC, 3, 1, config={'retention.ms': '1000000'})]))
    again = errors(admin.create_topics([NewTopic(TOPIC, 3, 1)]))
    results(admin.create_partitions([NewPartitions(TOPIC, PARTITIONS)]))
    change = ConfigEntry('segment.ms', '60000', incremental_operation=AlterConfigOpType.SET)
    altered = ConfigResource(ConfigResource.Type.TOPIC, TOPIC, incremental_configs=[change])
    results(admin.incremental_alter_configs([altered]))
    configs = results(admin.describe_configs([resource]))[0]
    broker = results(admin.describe_configs([ConfigResource(ConfigResource.Type.BROKER, '1')]))[0]
    return {
        'again': again,
        'configs': {name: configs[name].value for name in ('retention.ms', 'segment.ms')},
        'brokerKeys': len(broker),
        'partitions': len(admin.list_topics(timeout=10).topics[TOPIC].partitions),
        'nodes': len(admin.describe_cluster().result(15).nodes),
    }


def produce(codec, settings):
    """Sends 100 records; how many were acknowledged (or, without acks, taken)."""
    failed, delivered = [], []
    producer = Producer({'bootstrap.servers': BOOTSTRAP, 'compression.type': codec, 'linger.ms': 5, **settings})
    for i in range(100):
        producer.produce(
            TOPIC,
            key=b'key %d' % i,
            value=(b'%s %d ' % (codec.encode(), i)) * 20,
            partition=i % PARTITIONS,
            headers=[('header', b'1')],
            on_delivery=lambda error, message: (failed if error else delivered).append(error or message),
        )
    left = producer.flush(20)
    if left or failed:
        raise KafkaException(f'{left} left, failed: {failed[:3]}')
    return len(delivered)


def consumer(**settings):
    return Consumer({'bootstrap.servers': BOOTSTRAP, 'group.id': 'none', 'enable.auto.commit': False, **settings})


def read(**settings):
    """Every record of the topic, per codec, by assignment."""
    reader = consumer(**{'enable.partition.eof': True, 'check.crcs': True, **settings})
    reader.assign([TopicPartition(TOPIC, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    counts, ended, deadline = {}, 0, time.time() + 20
    while ended < PARTITIONS and time.time() < deadline:
        message = reader.poll(1)
        if message is None:
            continue
        if message.error():
            if message.error().code() != KafkaError._PARTITION_EOF:
                raise KafkaException(message.error())
            ended += 1
            continue
        codec = message.value().split(b' ')[0].decode()
        counts[codec] = counts.get(codec, 0) + 1
    reader.close()
    return counts


def offsets():
    reader = consumer()
    asked = [TopicPartition(TOPIC, 0, 0), TopicPartition(TOPIC, 1, int(time.time() * 1000) + 100_000)]
    times = [partition.offset for partition in reader.offsets_for_times(asked, timeout=10)]
    reader.close()
    first = TopicPartition(TOPIC, 0)
    low = results(admin.delete_records([TopicPartition(TOPIC, 0, 10)]))[0].low_watermark
    specs = {'earliest': OffsetSpec.earliest(), 'latest': OffsetSpec.latest()}
    listed = {name: results(admin.list_offsets({first: spec}))[0].offset for name, spec in specs.items()}
    return {'times': times, 'low': low, **listed}


def refusals():
    failed = []
    producer = Producer({'bootstrap.servers': BOOTSTRAP, 'message.timeout.ms': 10_000})
    producer.produce('bad name', b'x', on_delivery=lambda error, _: failed.append(error.name()))
    producer.flush(15)
    return failed


report = {'admin': administer(), 'produced': {}}
for codec in ('none', 'gzip', 'snappy', 'lz4', 'zstd'):
    for name, settings in {
        'acks=0': {'acks': '0'},
        'acks=1': {'acks': '1'},
        'acks=all': {'acks': 'all'},
        'idempotent': {'enable.idempotence': True},
    }.items():
        report['produced'][f'{codec} {name}'] = produce(codec, settings)
report['read'] = read()
report['readInSmallFetches'] = read(**{'max.partition.fetch.bytes': 2000, 'fetch.max.bytes': 5000, 'message.max.bytes': 4000})
report['offsets'] = offsets()
report['refused'] = refusals()
results(admin.delete_topics([TOPIC]))
report['left'] = TOPIC in admin.list_topics(timeout=10).topics
print(json.dumps(report))

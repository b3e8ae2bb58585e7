#!/usr/bin/env python3
"""Submits jobs to DSDE, calls some off and follows them to their end, with nothing but an AMQP library (pika 1.2 or later; Debian: python3-pika).

    dsde_client.py run PROMPT...            a batch of a job per prompt; waits for the end of the batch
    dsde_client.py cancel-job JOB_ID
    dsde_client.py cancel-batch BATCH_ID
    dsde_client.py listen                   prints events until it is stopped

The broker is AMQP_URL (default amqp://guest:guest@localhost:5672/%2F; amqps:// with AMQP_CA for an authority of your own). docs/interop.md explains the rest.
"""
import json
import os
import secrets
import ssl
import sys
import uuid

import pika

JOBS = "dsde-generation-jobs"
EVENTS = ["GenerationJobCompleted", "GenerationJobFailed", "GenerationJobCancelled", "GenerationBatchCompleted"]


def connect():
    parameters = pika.URLParameters(os.environ.get("AMQP_URL", "amqp://guest:guest@localhost:5672/%2F"))
    if parameters.ssl_options is not None:
        context = ssl.create_default_context(cafile=os.environ.get("AMQP_CA"))
        parameters.ssl_options = pika.SSLOptions(context, parameters.host)
    return pika.BlockingConnection(parameters)


def open_channel(connection):
    """A channel on which a publication returns when the broker has the message, and raises when no queue takes it."""
    channel = connection.channel()
    channel.confirm_delivery()
    return channel


def publish(channel, exchange, body, **properties):
    channel.basic_publish(
        exchange, "", json.dumps(body).encode(), mandatory=True,
        properties=pika.BasicProperties(content_type="application/json", delivery_mode=2, **properties))


def submit(channel, batch_id, prompts, correlation_id):
    """Sends a job per prompt. Ids follow from the batch and the job's place, so that sending it all again after a failure changes nothing."""
    job_ids = []
    for number, prompt in enumerate(prompts):
        job_id = str(uuid.uuid5(batch_id, str(number)))
        job = {
            "jobId": job_id,
            "batchId": str(batch_id),
            "batchJobCount": len(prompts),
            "customId": f"prompt-{number}",
            "model": os.environ.get("DSDE_MODEL", "dsde-demo"),
            "prompt": prompt,
            "maxTokens": int(os.environ.get("DSDE_MAX_TOKENS", "24")),
            "temperature": 0,
            "metadata": {"workload": "python"},
        }
        traceparent = f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-01"
        publish(channel, JOBS, job, correlation_id=correlation_id, headers={"traceparent": traceparent})
        job_ids.append(job_id)
    return job_ids


def cancel_job(channel, job_id):
    publish(channel, "Dsde.Contracts:CancelGenerationJob", {"jobId": str(job_id)})


def cancel_batch(channel, batch_id):
    publish(channel, "Dsde.Contracts:CancelGenerationBatch", {"batchId": str(batch_id)})


def open_inbox(channel):
    """A queue of one's own for events. A service that must miss none names it and makes it durable instead of exclusive."""
    queue = channel.queue_declare("", exclusive=True).method.queue
    for event in EVENTS:
        exchange = f"Dsde.Contracts:{event}"
        channel.exchange_declare(exchange, "fanout", durable=True)  # as workers declare it, who may not have come yet
        channel.queue_bind(queue, exchange)
    return queue


def listen(channel, queue):
    """Yields (type, event, properties), each event once however often it was told. A service keeps the ids where it keeps what it does with the events."""
    seen = set()
    for delivery, properties, body in channel.consume(queue):
        envelope = json.loads(body)
        if envelope["messageId"] not in seen:
            seen.add(envelope["messageId"])
            yield delivery.exchange.split(":")[1], envelope["message"], properties
        channel.basic_ack(delivery.delivery_tag)  # after the event was dealt with


def describe(event_type, event):
    if event_type == "GenerationBatchCompleted":
        return f"batch {event['batchId']}: {event['completedCount']} completed, {event['failedCount']} failed, {event['cancelledCount']} cancelled"
    outcome = event.get("text") or event.get("textLocation") or event.get("message") or event.get("reason")
    return f"job {event['jobId']} ({event.get('customId')}): {event_type}: {outcome!r}"


def run(prompts):
    connection = connect()
    channel = open_channel(connection)
    queue = open_inbox(channel)  # before the jobs are sent
    batch_id = uuid.uuid4()
    correlation_id = str(uuid.uuid4())
    waiting = set(submit(channel, batch_id, prompts, correlation_id))
    print(f"batch {batch_id}: {len(prompts)} jobs sent, correlation id {correlation_id}", flush=True)
    end = None  # of the batch, which may come before that of its last job
    for event_type, event, properties in listen(channel, queue):
        if event.get("batchId") != str(batch_id):
            continue
        if event_type == "GenerationBatchCompleted":
            end = describe(event_type, event)
        elif properties.correlation_id != correlation_id:
            sys.exit(f"the event's correlation id is {properties.correlation_id}")
        else:
            print(describe(event_type, event), flush=True)
            waiting.discard(event["jobId"])
        if end and not waiting:
            break
    print(end, flush=True)
    connection.close()


def main(arguments):
    match arguments:
        case ["run", *prompts] if prompts:
            run(prompts)
        case ["cancel-job", job_id]:
            cancel_job(open_channel(connect()), uuid.UUID(job_id))
        case ["cancel-batch", batch_id]:
            cancel_batch(open_channel(connect()), uuid.UUID(batch_id))
        case ["listen"]:
            channel = open_channel(connect())
            for event_type, event, properties in listen(channel, open_inbox(channel)):
                print(describe(event_type, event), flush=True)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])

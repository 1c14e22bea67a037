// A stack of its own for a test: the production binary `local` on free ports, with a clock that stands still until the test moves it.

import { spawn } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { createInterface } from 'node:readline';
import { Log } from './log.js';
import { LOCAL } from './paths.js';

/** The time at which every test begins. */
export const START = '2026-11-20T14:00:00Z';

const FAILURES = 'reprise-failures';
const RECEIVER_STAGE = 'reprise-receiver-stage';

/** How long a request may take on a busy machine, in milliseconds. */
const MAX_WAIT = 120_000;

/** How many requests are on their way to SQS at a time. */
const MAX_CONCURRENT = 8;

/** What SQS takes in one request. */
const MAX_BATCH = 10;

/** The endpoint checks no signature, but reads from it which service is meant. */
const signed = service => `AWS4-HMAC-SHA256 Credential=any/20261120/eu-west-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;

/** A worker that ends in the middle of a test leaves nothing running. */
const running = new Set();
process.on('exit', () => running.forEach(local => local.kill('SIGKILL')));

export class Stack {
  log = new Log();
  #process;
  #ended;

  /** Starts `local` with these options. `ready()` says when it can be used. */
  constructor(options) {
    const anyPort = ['--http', '--aws', '--issuer'].flatMap(option => [option, '127.0.0.1:0']);
    const env = { ...process.env, RUST_LOG: 'info,dynoxide=error' };
    this.#process = spawn(LOCAL, ['--clock', START, ...anyPort, ...options], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    running.add(this.#process);
    this.#ended = new Promise(resolve => this.#process.once('close', resolve)).then(() => running.delete(this.#process));
    createInterface(this.#process.stderr).on('line', line => this.log.add(line));
  }

  async ready() {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), MAX_WAIT);
    for await (const line of createInterface(this.#process.stdout)) {
      const urls = line.match(/http:\/\/[\d.:]+\d/g);
      if (line.startsWith('ready:')) [this.url, this.aws] = urls;
      if (line.startsWith('auth:')) [this.issuer] = urls;
      // The last line of the greeting names the clock.
      if (line.includes('/_local/clock')) {
        clearTimeout(timer);
        // Output that is not read would block it.
        this.#process.stdout.resume();
        return;
      }
    }
    clearTimeout(timer);
    throw new Error(`local ended before it was ready:\n${this.log.tail()}`);
  }

  async stop() {
    const timer = setTimeout(() => this.#process.kill('SIGKILL'), 10_000);
    this.#process.kill('SIGINT');
    await this.#ended;
    clearTimeout(timer);
  }

  async request(method, path, body) {
    const init = { method, signal: AbortSignal.timeout(MAX_WAIT), ...(body && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }) };
    const response = await fetch(`${this.url}${path}`, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path} answers ${response.status}: ${text}`);
    return text && JSON.parse(text);
  }

  get = path => this.request('GET', path);
  post = (path, body) => this.request('POST', path, body);
  put = (path, body) => this.request('PUT', path, body);
  interchange = id => this.get(`/interchanges/${id}`);

  /** Moves the clock. What falls due on the way happens, in order, before this resolves. */
  async advance(by) {
    const init = { method: 'POST', body: JSON.stringify({ advance: by }), signal: AbortSignal.timeout(MAX_WAIT) };
    const response = await fetch(`${this.aws}/_local/clock`, init);
    if (!response.ok) throw new Error(`the clock answers ${response.status}: ${await response.text()}`);
    return (await response.json()).now;
  }

  /** Resolves when the queues are empty and no function runs. */
  settle = () => this.advance('0s');

  /** Puts bodies on the failures queue and waits until everything that follows has happened. */
  async send(bodies) {
    const entries = bodies.map((body, n) => ({ Id: String(n), MessageBody: body }));
    const batches = [];
    while (entries.length) batches.push(entries.splice(0, MAX_BATCH));
    bodies.forEach(body => this.log.hide(body));
    const sendAll = async () => {
      for (let batch; (batch = batches.shift());) await this.#sendBatch(batch);
    };
    await Promise.all(Array.from({ length: Math.min(MAX_CONCURRENT, batches.length) }, sendAll));
    await this.settle();
  }

  async #sendBatch(Entries) {
    const { Failed } = await this.#sqs('SendMessageBatch', FAILURES, { Entries });
    if (Failed?.length) throw new Error(JSON.stringify(Failed));
  }

  report = report => this.send([JSON.stringify(report)]);

  /** Takes everything off the receiver stage, and gives what the attribute `reprise` says of each message. */
  async drain() {
    const staged = [];
    for (;;) {
      const { Messages = [] } = await this.#sqs('ReceiveMessage', RECEIVER_STAGE, { MaxNumberOfMessages: MAX_BATCH, MessageAttributeNames: ['All'] });
      if (!Messages.length) return staged;
      const Entries = Messages.map(({ ReceiptHandle }, n) => ({ Id: String(n), ReceiptHandle }));
      await this.#sqs('DeleteMessageBatch', RECEIVER_STAGE, { Entries });
      staged.push(...Messages.map(message => JSON.parse(message.MessageAttributes.reprise.StringValue)));
    }
  }

  /** Puts a work item on one of the stack's own queues, signed as Reprise signs it. */
  async putWork(queue, item) {
    const MessageBody = JSON.stringify(item);
    const Key = { pk: { S: 'SETTINGS' }, sk: { S: 'WORK-KEY' } };
    const { Item } = await this.#aws('dynamodb', 'DynamoDB_20120810.GetItem', { TableName: 'reprise', Key });
    const mac = createHmac('sha256', Buffer.from(Item.b.B, 'base64')).update('reprise work item\0').update(MessageBody).digest('base64url');
    await this.#sqs('SendMessage', queue, { MessageBody, MessageAttributes: { mac: { DataType: 'String', StringValue: mac } } });
  }

  #sqs(action, queue, parameters) {
    return this.#aws('sqs', `AmazonSQS.${action}`, { QueueUrl: `${this.aws}/000000000000/${queue}`, ...parameters });
  }

  async #aws(service, target, parameters) {
    const headers = { 'content-type': 'application/x-amz-json-1.0', 'x-amz-target': target, 'x-amz-date': '20261120T140000Z', authorization: signed(service) };
    const init = { method: 'POST', headers, body: JSON.stringify(parameters), signal: AbortSignal.timeout(MAX_WAIT) };
    const response = await fetch(this.aws, init);
    const text = await response.text();
    if (!response.ok) throw new Error(`${target} answers ${response.status}: ${text}`);
    return JSON.parse(text);
  }
}

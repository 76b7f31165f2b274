import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecommenderError } from '../../../src/errors.ts';
import { createWorkerClient } from '../../../src/worker/client.ts';
import type { EngineOptions } from '../../../src/worker/protocol.ts';
import { answerWith, createTestEngine, EngineWorker } from '../../helpers/engine-worker.ts';
import type { EngineWorkerOptions } from '../../helpers/engine-worker.ts';

const OPTIONS: EngineOptions = { pack: 'https://shop/pack.json', device: 'auto', consent: 'granted', partition: 'anonymous', database: 'shelfwise' };
const NEVER = new Promise<never>(() => undefined);

function createClient(...workers: EngineWorkerOptions[]) {
  const made: EngineWorker[] = [];
  const onEvent = vi.fn();
  const onFailure = vi.fn();
  const client = createWorkerClient({
    createWorker: () => {
      const worker = new EngineWorker(workers[made.length] ?? {});
      made.push(worker);
      return worker;
    },
    engineOptions: () => OPTIONS,
    onEvent,
    onFailure,
  });
  return { client, made, onEvent, onFailure };
}

describe('the worker client', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }));
  afterEach(() => void vi.useRealTimers());

  it('starts the worker with the first call, and passes values both ways', async () => {
    const { client, made } = createClient();
    expect(client.state).toBe('idle');
    expect(await client.call('rerank', [[{ id: 'a' }, { id: 'b' }], { limit: 2, deadlineMs: 50 }])).toEqual(answerWith([1, 0]));
    expect(made[0]?.started).toEqual([OPTIONS]);
    expect(client.state).toBe('ready');
    await client.close();
  });

  it('hands on what the engine tells', async () => {
    const { client, made, onEvent } = createClient();
    await client.call('prefetch', [[]]);
    made[0]?.emit('improved', { slate: 's' });
    await vi.waitFor(() => expect(onEvent).toHaveBeenCalledWith({ type: 'event', event: 'improved', detail: { slate: 's' } }));
    await client.close();
  });

  it('keeps code, message and cause of an error', async () => {
    const cause = new TypeError('byte 7');
    const engine = createTestEngine({ status: () => Promise.reject(new RecommenderError('PACK_INVALID', 'weights', { cause })) });
    const { client } = createClient({ engine: () => engine });
    const error: unknown = await client.call('status', []).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(RecommenderError);
    expect(error).toMatchObject({ code: 'PACK_INVALID', message: expect.stringContaining('weights') as string });
    expect((error as RecommenderError).cause).toMatchObject({ name: 'TypeError', message: 'byte 7' });
    await client.close();
  });

  it('reports an engine that could not be made with each call', async () => {
    const { client } = createClient({
      engine: () => {
        throw new RecommenderError('PACK_UNAVAILABLE');
      },
    });
    await expect(client.call('status', [])).rejects.toMatchObject({ code: 'PACK_UNAVAILABLE' });
    await client.close();
  });

  it('aborts a call on both sides, with the caller’s own reason', async () => {
    const aborted = vi.fn();
    const engine = createTestEngine({
      rerank: (_candidates, _options, signal) => {
        signal?.addEventListener('abort', aborted);
        return NEVER;
      },
    });
    const { client } = createClient({ engine: () => engine });
    const stop = new AbortController();
    const call = client.call('rerank', [[], { limit: 1, deadlineMs: 50 }], stop.signal);
    const reason = { not: 'an Error' };
    stop.abort(reason);
    await expect(call).rejects.toBe(reason);
    await vi.waitFor(() => expect(aborted).toHaveBeenCalled());
    await expect(client.call('rerank', [[], { limit: 1, deadlineMs: 50 }], stop.signal)).rejects.toBe(reason);
    await client.close();
  });

  it('restarts a worker that reports an error, once', async () => {
    const silent = { engine: () => createTestEngine({ status: () => NEVER }) };
    const { client, made, onFailure } = createClient(silent, silent);
    for (const restarted of [true, false]) {
      const call = client.call('status', []);
      const failed = expect(call).rejects.toMatchObject({ code: 'WORKER_FAILED' });
      made.at(-1)?.dispatchEvent(new Event('error'));
      await failed;
      expect(made.at(restarted ? 0 : 1)?.terminated).toBe(true);
      expect(onFailure).toHaveBeenLastCalledWith(expect.objectContaining({ code: 'WORKER_FAILED' }), restarted);
    }
    expect(made).toHaveLength(2);
    expect(client.state).toBe('failed');
    await expect(client.call('status', [])).rejects.toMatchObject({ code: 'WORKER_FAILED' });
    await client.close();
  });

  it('finds out that a worker died without a word, settles what waits and goes on with the next', async () => {
    const { client, made, onFailure } = createClient({ engine: () => createTestEngine({ status: () => NEVER }) });
    await client.call('prefetch', [[]]);
    made[0]?.die();
    const lost = expect(client.call('status', [])).rejects.toMatchObject({ code: 'WORKER_FAILED' });
    await vi.advanceTimersByTimeAsync(4_000);
    await lost;
    expect(onFailure).toHaveBeenCalledOnce();
    expect(made).toHaveLength(2);
    expect(await client.call('predictNext', [[{ id: 'a' }]])).toHaveLength(1);
    await client.close();
  });

  it('does not measure a worker whose script is still on its way', async () => {
    const { client, onFailure } = createClient();
    // The first answer needs a real turn of the event loop, which these timers do not wait for.
    const call = client.call('prefetch', [[]]);
    vi.advanceTimersByTime(60_000);
    await call;
    expect(onFailure).not.toHaveBeenCalled();
    await client.close();
  });

  it('ends in failed, not in an exception, where no worker can be made', async () => {
    const onFailure = vi.fn();
    const client = createWorkerClient({
      createWorker: () => {
        throw new DOMException('Refused by the Content Security Policy.', 'SecurityError');
      },
      engineOptions: () => OPTIONS,
      onEvent: vi.fn(),
      onFailure,
    });
    await expect(client.call('status', [])).rejects.toMatchObject({ code: 'WORKER_FAILED' });
    expect(client.state).toBe('failed');
    await client.close();
  });

  it('closes the engine before the worker, and rejects what is pending', async () => {
    const close = vi.fn(() => Promise.resolve());
    const { client, made } = createClient({ engine: () => createTestEngine({ status: () => NEVER, close }) });
    const pending = expect(client.call('status', [])).rejects.toMatchObject({ code: 'CLOSED' });
    await client.close();
    await pending;
    expect(close).toHaveBeenCalledOnce();
    expect(made[0]?.terminated).toBe(true);
    await expect(client.call('status', [])).rejects.toMatchObject({ code: 'CLOSED' });
  });

  it('stops a worker that does not close', async () => {
    const { client, made } = createClient({ engine: () => createTestEngine({ close: () => NEVER }) });
    await client.call('prefetch', [[]]);
    const closing = client.close();
    await vi.advanceTimersByTimeAsync(1_000);
    await closing;
    expect(made[0]?.terminated).toBe(true);
  });
});

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { CHROMIUM_FLAGS, findChromium } from '../test/helpers/chromium.ts';

/** What both a page and a worker can be asked. */
export interface Evaluates {
  /** Runs a function there, with an argument that JSON can carry, and waits for what it returns. */
  evaluate<Result, Argument>(work: (argument: Argument) => Result | Promise<Result>, argument: Argument): Promise<Result>;
}

/**
 * One page of Chromium and its workers, asked through the DevTools pipe. Playwright also turns on the inspector's Network domain,
 * for which a renderer keeps all that it ever fetched: to a bench of memory that would look like ours.
 */
export interface PlainBrowser extends Evaluates {
  readonly workers: readonly Evaluates[];
  navigate(address: string): Promise<void>;
  close(): Promise<void>;
}

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: { readonly sessionId: string; readonly targetInfo: { readonly type: string } };
  readonly error?: { readonly message: string };
  readonly result?: never;
}

/** @param profile a folder for the browser's profile. */
export async function openPlainBrowser(profile: string, flags: readonly string[] = []): Promise<PlainBrowser> {
  const executable = findChromium();
  if (executable === undefined) throw new Error('There is no Chromium.');
  const browser = spawn(executable, [...CHROMIUM_FLAGS, ...flags, '--headless', '--remote-debugging-pipe', `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'],
  });
  const [, , , commands, answers] = browser.stdio as unknown as [null, null, null, Writable, Readable];
  const waiting = new Map<number, (answer: Message) => void>();
  const workers: Evaluates[] = [];
  let sent = 0;
  let received = '';
  answers.setEncoding('utf8').on('data', (text: string) => {
    const messages = (received + text).split('\0');
    received = messages.pop()!;
    for (const message of messages) take(JSON.parse(message) as Message);
  });

  function take(message: Message): void {
    if (message.id !== undefined) waiting.get(message.id)?.(message);
    else if (message.method === 'Target.attachedToTarget' && message.params?.targetInfo.type === 'worker') workers.push(evaluates(message.params.sessionId));
  }

  async function send<Result>(method: string, params: object = {}, sessionId?: string): Promise<Result> {
    const id = ++sent;
    const answer = new Promise<Message>((resolve) => waiting.set(id, resolve));
    commands.write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
    const { error, result } = await answer;
    waiting.delete(id);
    if (error) throw new Error(`${method}: ${error.message}`);
    return result as Result;
  }

  function evaluates(sessionId: string): Evaluates {
    return {
      async evaluate(work, argument) {
        const expression = `(${String(work)})(${JSON.stringify(argument)})`;
        const answer = await send<{ result: { value: never }; exceptionDetails?: { exception?: { description?: string } } }>('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true }, sessionId);
        if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? 'The page threw.');
        return answer.result.value;
      },
    };
  }

  const { targetInfos } = await send<{ targetInfos: { type: string; targetId: string }[] }>('Target.getTargets');
  const target = targetInfos.find(({ type }) => type === 'page')!;
  const { sessionId } = await send<{ sessionId: string }>('Target.attachToTarget', { targetId: target.targetId, flatten: true });
  await send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: true }, sessionId);
  return {
    ...evaluates(sessionId),
    workers,
    navigate: (url) => send('Page.navigate', { url }, sessionId),
    async close() {
      const exited = once(browser, 'exit');
      void send('Browser.close'); // It may be gone before it answers.
      await exited;
    },
  };
}

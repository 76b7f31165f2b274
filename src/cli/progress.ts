import { MultiBar, type SingleBar } from 'cli-progress';

/** What a long command says while it runs. */
export interface Progress {
  /** One line, above the bar where there is one. */
  readonly say: (line: string) => void;
  /** `share` of the most work there may be, 0 to 1: a training that stops early ends sooner. What trains nothing has no loss. */
  readonly update: (state: { readonly label: string; readonly share: number; readonly loss?: number; readonly metric: string }) => void;
  /** Takes the bar away; a later `update` draws a new one. */
  readonly done: () => void;
}

const FORMAT = '{label} {bar} {percentage} % | {state} | at most {eta_formatted} left';
const RATE_OVER = 200; // the newest updates that the time left is estimated from

/** A bar where `stream` is a terminal; elsewhere lines alone. Default: standard error, so that a pipe gets the command's output only. */
export function createProgress(say: (line: string) => void, stream: NodeJS.WriteStream = process.stderr): Progress {
  let bars: MultiBar | undefined;
  let bar: SingleBar | undefined;
  return {
    say: (line) => (bars ? bars.log(`${line}\n`) : say(line)),
    update({ share, label, loss, metric }) {
      if (!stream.isTTY) return;
      const payload = { label, state: loss === undefined ? metric : `loss ${loss.toFixed(3)} | ${metric}` };
      bars ??= new MultiBar({ stream, format: FORMAT, barsize: 24, barCompleteChar: '█', barIncompleteChar: '░', clearOnComplete: true, hideCursor: true, etaBuffer: RATE_OVER, gracefulExit: false });
      bar ??= bars.create(1, share, payload);
      bar.update(share, payload);
    },
    done() {
      bars?.stop();
      bars = bar = undefined;
    },
  };
}

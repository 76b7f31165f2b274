import { readdirSync, readFileSync } from 'node:fs';

/**
 * Proportional set size of a browser's largest renderer, in MB (10⁶ bytes): what it has to itself and its share of what it shares.
 * @param profile the browser's profile folder, by which its processes are found.
 * @returns null where the system does not tell (it needs Linux's smaps_rollup).
 */
export function rendererMegabytes(profile: string): number | null {
  const processes = listProcesses();
  const browser = processes.find(({ command }) => command.includes(`--user-data-dir=${profile}`) && !command.some((argument) => argument.startsWith('--type=')));
  if (!browser) return null;
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const renderers = processes.filter(({ pid, command }) => command.includes('--type=renderer') && descends(pid, browser.pid, parents));
  const sizes = renderers.flatMap(({ pid }) => readPss(pid) ?? []);
  return sizes.length > 0 ? Math.max(...sizes) : null;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: readonly string[];
}

function listProcesses(): Process[] {
  return listNames('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const [status, command] = [readText(`/proc/${name}/status`), readText(`/proc/${name}/cmdline`)];
      const parent = /^PPid:\s+(\d+)/m.exec(status ?? '')?.[1];
      // Chromium writes a renderer's arguments as one string with spaces.
      return parent === undefined || command === null ? [] : [{ pid: Number(name), parent: Number(parent), command: command.split(/[\0 ]/) }];
    });
}

function descends(pid: number, ancestor: number, parents: ReadonlyMap<number, number>): boolean {
  const parent = parents.get(pid);
  return parent !== undefined && (parent === ancestor || descends(parent, ancestor, parents));
}

function readPss(pid: number): number | null {
  const kilobytes = /^Pss:\s+(\d+) kB/m.exec(readText(`/proc/${pid}/smaps_rollup`) ?? '')?.[1];
  return kilobytes === undefined ? null : (Number(kilobytes) * 1024) / 1e6;
}

function listNames(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

/** null where there is no such file, or no more: processes end while they are looked at. */
function readText(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

import { readdirSync, readFileSync } from 'node:fs';

/** Proportional set size, in MB (10⁶ bytes): what a process has to itself and its share of what it shares. */
export interface ProcessMemory {
  readonly total: number;
  /** Without files, whose share is smaller while other browsers run. */
  readonly anonymous: number;
}

/**
 * Memory of a browser's largest renderer.
 * @param profile the browser's profile folder, by which its processes are found.
 * @returns null where the system does not tell (it needs Linux's smaps_rollup).
 */
export function rendererMemory(profile: string): ProcessMemory | null {
  const processes = listProcesses();
  const browser = processes.find(({ command }) => command.includes(`--user-data-dir=${profile}`) && !command.some((argument) => argument.startsWith('--type=')));
  if (!browser) return null;
  const parents = new Map(processes.map(({ pid, parent }) => [pid, parent]));
  const renderers = processes.filter(({ pid, command }) => command.includes('--type=renderer') && descends(pid, browser.pid, parents));
  const sizes = renderers.flatMap(({ pid }) => readMemory(pid) ?? []);
  return sizes.reduce<ProcessMemory | null>((largest, size) => (largest && largest.total >= size.total ? largest : size), null);
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

function readMemory(pid: number): ProcessMemory | null {
  const rollup = readText(`/proc/${pid}/smaps_rollup`) ?? '';
  const megabytes = (field: string): number => (Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(rollup)?.[1]) * 1024) / 1e6;
  const memory = { total: megabytes('Pss'), anonymous: megabytes('Pss_Anon') };
  return Number.isNaN(memory.total) ? null : memory;
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

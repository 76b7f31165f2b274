/**
 * npx tsx bench/demand/export.ts [FOLDER]: writes the bench's series as daily.csv and weekly.csv (`item,date,value`) and how they
 * are asked as tasks.json, for training/demand_classical.py. Default .cache/bench/demand.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DEMAND_TASKS, readDemandData } from './data.ts';

const folder = process.argv[2] ?? '.cache/bench/demand';
const { items, series } = await readDemandData();
await mkdir(folder, { recursive: true });
for (const task of DEMAND_TASKS) {
  const lines = series(task).flatMap(({ values, asOf, stepDays }, row) =>
    values.map((value, step) => {
      const date = new Date((asOf - (values.length - step) * stepDays * 86_400) * 1000).toISOString().slice(0, 10);
      return `${items[row]!},${date},${String(value)}`;
    }),
  );
  await writeFile(join(folder, `${task.name}.csv`), ['item,date,value', ...lines, ''].join('\n'));
}
await writeFile(join(folder, 'tasks.json'), `${JSON.stringify(DEMAND_TASKS)}\n`);
console.log(`${items.length} products -> ${folder}`);

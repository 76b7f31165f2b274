import { loadQualityData } from '../quality/protocol.ts';
import { shippedRankers } from '../quality/rankers.ts';
import { judgeTasks } from '../quality/tasks.ts';
import { formatCellSection } from './format-table.ts';
import type { OwnTables } from './table-data.ts';

const SEED = 1;
const INVOICES = Number(process.env.BENCH_USERS ?? 1_000); // of 2,831, as `bench -- quality` draws them; 10 minutes
const OURS: Readonly<Record<string, string>> = { 'text only': 'ours: text alone', 'LSTM only': 'ours: interest model alone', full: 'ours: full ranker' };

/** The demo's shop by the tasks of the bench `quality`; nobody has published figures for it. */
export const ONLINE_RETAIL_2011: OwnTables = {
  name: 'online_retail',
  async judge() {
    const data = await loadQualityData(INVOICES, SEED);
    const cells = (await judgeTasks(data, await shippedRankers(data), () => undefined)).map((cell) => ({ ...cell, ranker: cell.ranker.split(' - ').map((name) => OURS[name] ?? name).join(' - ') }));
    const about = `${data.invoices.length} of ${data.eligible} invoices from November 2011 of customers with an earlier one, drawn with seed ${SEED}; the pack that ships, whose training ends before. No figures are published for this shop.`;
    const tasks = [...new Set(cells.map(({ task }) => task))];
    return { sections: tasks.map((task) => formatCellSection(`online_retail, ${task}`, about, cells.filter((cell) => cell.task === task && cell.metric !== 'relative'))), rows: [], tables: cells };
  },
};

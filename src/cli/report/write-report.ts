import { join } from 'node:path';
import { writeWhole } from '../checkpoint.ts';
import { renderReport } from './page.ts';
import type { TrainingReport } from './report-data.ts';

/** Writes report.json and report.html into `folder`. */
export async function writeReport(folder: string, report: TrainingReport): Promise<void> {
  await writeWhole(join(folder, 'report.json'), new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  await writeWhole(join(folder, 'report.html'), new TextEncoder().encode(renderReport(report)));
}

import { gamesTables } from '../games.ts';
import { GAMES, loadGames } from '../games/data.ts';
import { judgeNewItems } from '../games/new-items.ts';
import { formatCellSection } from './format-table.ts';
import type { OwnTables } from './table-data.ts';

const QUESTION = 'Each of 6,000 users’ last item among 20 candidates: itself and 19 random others, as LLMRank drew them (Hou et al. 2024, ECIR, whose table the published figures are from).';

/** Lists of candidates instead of the whole catalogue, by the bench `games`. */
export const AMAZON_GAMES_2018: OwnTables = {
  name: GAMES,
  async judge() {
    const games = await loadGames();
    const cells = await gamesTables(games);
    const { rows, tables } = await judgeNewItems(games);
    const about = (targets: string): string => `The same lists where no training has met a tenth of the items; ${targets}.`;
    const ofTask = (targets: string) => tables.filter(({ task }) => task.endsWith(targets));
    const sections = [
      formatCellSection(`${GAMES}, 20 candidates`, QUESTION, cells),
      formatCellSection(`${GAMES}, a tenth of the items new: all targets`, about('all targets'), ofTask('all targets')),
      formatCellSection(`${GAMES}, a tenth of the items new: new targets`, about(`the ${ofTask('new targets')[0]!.n} lists whose target is new`), ofTask('new targets')),
    ];
    return { sections, rows, tables: [...cells, ...tables] };
  },
};

import { cpSync, createReadStream, existsSync, statSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { extname, join, normalize, resolve, sep } from 'node:path';
import type { Connect, Plugin, PreviewServer, ViteDevServer } from 'vite';
import { ensureHuggingFaceLayout } from '../../scripts/hugging-face/write-layout.ts';
import { createCandidateServer } from './candidate-server.ts';
import { answerCandidates, answerProduct, answerDepartments } from './http.ts';
import { loadShopData } from './shop-data.ts';

/** The shop's small API, the same in development and preview; the data is read once the server listens. */
export function shopServer(dataFolder: string): Plugin {
  let lazy: ReturnType<typeof open> | undefined;
  const open = () => {
    const data = loadShopData(dataFolder);
    return { data, server: createCandidateServer(data) };
  };
  const middleware = (request: IncomingMessage, response: ServerResponse, next: Connect.NextFunction): void => {
    const path = request.url?.split('?')[0];
    try {
      if (path === '/api/candidates') answerCandidates((lazy ??= open()).server, request, response);
      else if (path === '/api/product') answerProduct((lazy ??= open()).data.products, request, response);
      else if (path === '/api/departments') answerDepartments((lazy ??= open()).data.products, response);
      else next();
    } catch (error) {
      next(error);
    }
  };
  const begin = ({ middlewares, httpServer }: Pick<PreviewServer | ViteDevServer, 'middlewares' | 'httpServer'>): void => {
    middlewares.use(middleware);
    httpServer?.once('listening', () => setTimeout(() => (lazy ??= open()), 0));
  };
  return {
    name: 'shop-server',
    configureServer: begin,
    configurePreviewServer: begin,
  };
}

/** Writes an encoder pack in the layout that transformers.js loads, before the shop is built or served. */
export function huggingFaceLayout(packFolder: string, outFolder: string): Plugin {
  return {
    name: 'hugging-face-layout',
    async buildStart() {
      await ensureHuggingFaceLayout(packFolder, outFolder);
    },
  };
}

const TYPES: Readonly<Record<string, string>> = {
  '.json': 'application/json',
  '.svg': 'image/svg+xml',
  '.txt': 'text/plain; charset=utf-8',
  '.md': 'text/plain; charset=utf-8',
};

/** Serves folders of the repository at their addresses in development, and copies them next to the built shop. */
export function folders(byAddress: Readonly<Record<string, string>>): Plugin {
  let outDir = '';
  return {
    name: 'folders',
    configResolved: ({ root, build }) => {
      outDir = resolve(root, build.outDir);
    },
    configureServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const path = decodeURIComponent(request.url?.split('?')[0] ?? '');
        for (const [address, folder] of Object.entries(byAddress)) {
          if (!path.startsWith(`${address}/`)) continue;
          const file = normalize(join(folder, path.slice(address.length)));
          if (!file.startsWith(folder + sep)) continue;
          if (!existsSync(file) || !statSync(file).isFile()) {
            response.statusCode = 404;
            response.end(`There is no ${path}.`);
            return;
          }
          response.setHeader('content-type', TYPES[extname(file)] ?? 'application/octet-stream');
          createReadStream(file).pipe(response);
          return;
        }
        next();
      });
    },
    // The single page would otherwise stand in for a file that is missing, and a pack would be told to be HTML.
    configurePreviewServer: ({ middlewares }) => {
      middlewares.use((request, response, next) => {
        const path = decodeURIComponent(request.url?.split('?')[0] ?? '');
        if (Object.keys(byAddress).some((address) => path.startsWith(`${address}/`)) && !existsSync(join(outDir, path))) {
          response.statusCode = 404;
          response.end(`There is no ${path}.`);
          return;
        }
        next();
      });
    },
    writeBundle: () => {
      for (const [address, folder] of Object.entries(byAddress)) {
        if (existsSync(folder)) cpSync(folder, join(outDir, address), { recursive: true });
      }
    },
  };
}

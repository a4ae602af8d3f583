// A real Chromium, one for all tests, and pages in it that are watched: whatever a page says on its console or asks of a network is kept.

import { existsSync } from "node:fs";
import { after, test as whatever } from "node:test";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = PLACES.find((place) => place && existsSync(place));

const QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-gpu", "--hide-scrollbars",
  "--no-first-run", "--no-default-browser-check", "--disable-default-apps", "--disable-domain-reliability", "--font-render-hinting=none",
  // Shared memory of containers is too small for large pages.
  "--disable-dev-shm-usage"];

/// What a browser may take on a machine that does much else, in milliseconds: nothing here is measured by it.
export const PATIENCE = 120000;

let [browser, crashed] = [null, false];
/// The browser, started where it does not run. It listens on a pipe, so that no port is needed. Without its sandbox where it runs as root,
/// which it refuses otherwise.
const running = async () => {
  if (browser?.isConnected()) return browser;
  const args = process.getuid?.() === 0 ? [...QUIET, "--no-sandbox"] : QUIET;
  browser = await chromium.launch({ executablePath, args, headless: true, chromiumSandbox: false, timeout: PATIENCE });
  crashed = false;
  return browser;
};
after(() => browser?.close());

/// Opens a file in a window; `complaints` gathers errors of the console, exceptions and requests that are not for the file itself.
export const open = async (file, { width = 1400, height = 900, scheme = "light", script = true, scale = 1 } = {}) => {
  const look = { viewport: { width, height }, colorScheme: scheme, deviceScaleFactor: scale };
  const started = await running();
  const context = await started.newContext({ ...look, javaScriptEnabled: script, acceptDownloads: true, reducedMotion: "reduce" });
  context.setDefaultTimeout(PATIENCE);
  const page = await context.newPage();
  const own = pathToFileURL(file).href;
  const complaints = [];
  page.on("crash", () => (crashed = true));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && complaints.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => complaints.push(`exception: ${error.message}`));
  page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`) && dialog.dismiss());
  page.on("popup", (other) => complaints.push(`window: ${other.url()}`));
  context.on("request", (request) => {
    const url = request.url();
    if (url.split("#")[0] !== own && !/^(?:data|blob):/.test(url)) complaints.push(`request: ${url.slice(0, 200)}`);
  });
  await page.goto(own);
  return { page, complaints };
};

/// Closes what a test opened; a browser in which that fails is given up.
export const closeAll = async () => {
  if (!browser?.isConnected()) return;
  await Promise.all(browser.contexts().map((context) => context.close())).catch(() => browser.close().catch(() => {}));
};

/// Whether an error is the browser's end: the connection may still stand for a moment after it.
const died = ({ message }) => crashed || browser?.isConnected() === false || /browser has been closed|Target closed|Target crashed/.test(message);

/// A test in the browser. It has a second try where the browser has died under it, and never where the page is wrong.
export const test = (title, act) =>
  whatever(title, async (t) => {
    try {
      await act(t);
    } catch (error) {
      if (!died(error)) throw error;
      console.log(`${title}: the browser died (${error.message.split("\n")[0]}), once more`);
      await browser?.close().catch(() => {});
      await act(t);
    } finally {
      await closeAll();
    }
  });

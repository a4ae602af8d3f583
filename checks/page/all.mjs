// All tests in one process, with one browser and every page made once: node all.mjs. Each file can be run alone: node paint.test.mjs.

import "./paint.test.mjs";
import "./reading.test.mjs";
import "./numbers.test.mjs";
import "./print.test.mjs";
import "./layout.test.mjs";
import "./looks.test.mjs";
import "./access.test.mjs";
import "./controls.test.mjs";
import "./injection.test.mjs";

/// `--full` of checks/page.sh: what needs LaTeX, and figures in time that fail rather than warn.
if (process.env.FLATLEAK_FULL === "1") await import("./latex.test.mjs");

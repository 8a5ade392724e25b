#!/usr/bin/env node
'use strict'
// The program reads what follows as Vite's command line.
require('rekindle/bin/launch.js').launch(['--as-vite'])

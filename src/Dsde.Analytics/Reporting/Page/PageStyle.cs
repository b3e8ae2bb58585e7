namespace Dsde.Analytics.Reporting.Page;

/// <summary>How a report looks: on a screen in light and dark, and on paper.</summary>
internal static class PageStyle
{
    /// <summary>The style sheet.</summary>
    public const string Css = """

        :root { color-scheme: light dark; --ink: #1c2128; --dim: #5b6470; --paper: #ffffff; --tile: #f3f5f8; --line: #d5dae1; }
        @media (prefers-color-scheme: dark) {
          :root { --ink: #e4e8ee; --dim: #9aa5b3; --paper: #14181e; --tile: #1e242c; --line: #333c47; } }
        body { margin: 0; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 1320px; margin: 0 auto; padding: 1.5rem; }
        h1 { font-size: 1.6rem; margin: 0; }
        h2 { font-size: 1.2rem; margin: 2rem 0 .3rem; } h3 { font-size: 1rem; margin: 1.2rem 0 .2rem; }
        .subject, .about, .note, .legend { color: var(--dim); }
        a { color: #3b82d6; }
        .tiles { display: grid; grid-template-columns: repeat(auto-fill, minmax(190px, 1fr)); gap: .8rem; margin: 1.2rem 0; }
        .tile { background: var(--tile); border-radius: 8px; padding: .7rem .9rem; }
        .tile .name, .tile .about { font-size: .82rem; } .tile .value { font-size: 1.5rem; font-weight: 600; }
        .figures { display: grid; gap: 1rem; margin: .8rem 0;
          grid-template-columns: repeat(auto-fill, minmax(min(100%, 460px), 1fr)); }
        figure { margin: 0; } figure svg { width: 100%; height: auto; display: block; }
        .scroll { overflow-x: auto; }
        table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: .6rem 0; }
        th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
        th { color: var(--dim); font-weight: 500; font-size: .85rem; }
        .output { display: none; } .output:target { display: block; border-top: 2px solid var(--line); margin-top: 2rem; }
        .tokens { line-height: 1.1; word-spacing: .25rem; }
        .t { display: inline-block; width: .8em; height: 1em; border-radius: 2px; opacity: var(--s, 1); margin: 0 1px; }
        .accepted { background: #2f9e63; } .corrected { background: #d6455d; }
        .bonus { background: #3b82d6; } .prompt { background: #8a8f98; } .forced { background: #b07d2b; }
        pre { white-space: pre-wrap; background: var(--tile); border-radius: 8px; padding: .8rem; }
        @media print {
          :root { --ink: #000; --dim: #444; --paper: #fff; --tile: #f3f3f3; --line: #bbb; }
          main { max-width: none; padding: 0; }
          figure, tr, .tile { break-inside: avoid; } h2 { break-after: avoid; }
          .scroll { overflow: visible; } td, th { white-space: normal; } }

        """;
}

using Dsde.Testing;
using PuppeteerSharp;
using PuppeteerSharp.Media;
using SkiaSharp;

namespace Dsde.EndToEnd.Tests.Reporting;

/// <summary>A page in a real browser: Debian's Chromium, which test.sh installs.</summary>
internal sealed class Browser : IAsyncDisposable
{
    private const string Program = "/usr/bin/chromium";

    private readonly ScratchFolder _profile = new("browser");
    private readonly List<string> _mistakes = [];
    private readonly List<string> _requests = [];
    private IBrowser? _browser;
    private IPage? _page;

    /// <summary>What the page complained of, on its console and by exceptions.</summary>
    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <summary>What it asked for, itself included.</summary>
    public IReadOnlyList<string> Requests => _requests;

    private IPage Page => _page ?? throw new InvalidOperationException("No page is open.");

    /// <summary>Opens a file, or what is at an address.</summary>
    public static async Task<Browser> OpenAsync(string place)
    {
        var browser = new Browser();
        browser._browser = await Puppeteer.LaunchAsync(
            new LaunchOptions
            {
                ExecutablePath = Program,
                UserDataDir = browser._profile.Path,
                Args = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"],
                DefaultViewport = new ViewPortOptions { Width = 1360, Height = 1000 },
            }
        );
        browser._page = await browser._browser.NewPageAsync();
        browser.Page.Console += (_, said) => browser._mistakes.Add($"{said.Message.Type}: {said.Message.Text}");
        browser.Page.PageError += (_, error) => browser._mistakes.Add($"{error.Message}");
        browser.Page.Request += (_, request) =>
        {
            if (!request.Request.Url.StartsWith("data:", StringComparison.Ordinal))
            {
                browser._requests.Add(request.Request.Url);
            }
        };
        await browser.Page.GoToAsync(new Uri(place).AbsoluteUri, WaitUntilNavigation.Load);
        return browser;
    }

    /// <summary>How many elements there are.</summary>
    public Task<int> CountAsync(string selector) =>
        Page.EvaluateFunctionAsync<int>("selector => document.querySelectorAll(selector).length", selector);

    /// <summary>How many of them take up room.</summary>
    public Task<int> CountShownAsync(string selector) =>
        Page.EvaluateFunctionAsync<int>(
            "selector => [...document.querySelectorAll(selector)].filter(one => one.getClientRects().length > 0).length",
            selector
        );

    /// <summary>The texts of elements, of the first and of all others.</summary>
    public Task<string[]> TextsOfAsync(string selector) =>
        Page.EvaluateFunctionAsync<string[]>(
            "selector => [...document.querySelectorAll(selector)].map(one => one.innerText.trim())",
            selector
        );

    /// <summary>Waits until the texts of elements are as a test wants them.</summary>
    public async Task<string[]> WaitForTextsAsync(string selector, Func<string[], bool> areWanted, TimeSpan? patience = null)
    {
        for (var start = TimeProvider.System.GetTimestamp(); ; await Task.Delay(100, TestContext.Current.CancellationToken))
        {
            var texts = await TextsOfAsync(selector);
            if (areWanted(texts))
            {
                return texts;
            }

            TimeProvider
                .System.GetElapsedTime(start)
                .ShouldBeLessThan(patience ?? TimeSpan.FromSeconds(60), $"{selector} is '{string.Join("', '", texts)}'.");
        }
    }

    /// <summary>Links into the page that lead nowhere.</summary>
    public Task<string[]> FindDeadLinksAsync() =>
        Page.EvaluateFunctionAsync<string[]>(
            """
            () => [...document.querySelectorAll('a[href^="#"]')].map(one => one.getAttribute('href')).filter(one => one.length > 1)
                .filter(one => !document.getElementById(one.slice(1)))
            """
        );

    /// <summary>Clicks the first such element.</summary>
    public Task ClickAsync(string selector) => Page.ClickAsync(selector);

    /// <summary>Colours of the whole page as it is drawn. DSDE_TEST_PICTURES keeps what was seen, for people.</summary>
    public async Task<int> CountColoursAsync(string scheme)
    {
        await Page.EmulateMediaFeaturesAsync([new() { MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme }]);
        var data = await Page.ScreenshotDataAsync(new ScreenshotOptions { FullPage = true });
        if (Environment.GetEnvironmentVariable("DSDE_TEST_PICTURES") is { Length: > 0 } folder)
        {
            var name = TestContext.Current.TestMethod?.MethodName ?? "page";
            await File.WriteAllBytesAsync(Path.Combine(folder, $"{name}.{scheme}.png"), data, TestContext.Current.CancellationToken);
        }

        using var picture = SKBitmap.Decode(data);
        return picture.Pixels.Distinct().Count();
    }

    /// <summary>Bytes of the page as PDF.</summary>
    public async Task<int> PrintAsync() => (await Page.PdfDataAsync(new PdfOptions { Format = PaperFormat.A4 })).Length;

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
            await _browser.DisposeAsync();
        }

        _profile.Dispose();
    }
}

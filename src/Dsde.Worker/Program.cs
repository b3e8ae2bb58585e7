using Dsde.Worker.Cli;

return await DsdeCommandLine.RunAsync(args);

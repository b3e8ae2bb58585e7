using System.Text.Encodings.Web;
using System.Text.Json;
using static Dsde.ModelForge.Corpus.Words;

namespace Dsde.ModelForge.Corpus;

/// <summary>JSON records of five schemas: mostly fixed keys and punctuation, values partly copied from the prompt.</summary>
internal static class Records
{
    public const string Name = "records";

    private static readonly JsonSerializerOptions Indented = new()
    {
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static readonly string[] Roles = ["reader", "writer"];
    private static readonly string[] Formats = ["paper", "digital"];

    /// <summary>A description and the record for it.</summary>
    public static Document Make(Dice dice)
    {
        var person = $"{dice.Pick(dice.Pick(Girls, Boys))} {dice.Pick(Surnames)}";
        var city = dice.Pick(Cities);
        var thing = dice.Pick(Things).Many;
        var number = dice.Number(1, 20);
        return dice.Pick<Func<Document>>(
            () => User(dice, person, city),
            () => Order(dice, person, city, thing, number),
            () => Sensor(dice, city, number),
            () => Book(dice, person),
            () => Event(dice, person, city)
        )();
    }

    private static Document User(Dice dice, string person, string city)
    {
        var age = dice.Number(18, 80);
        return Finish(
            dice,
            "user",
            $"a user named {person}, {age} years old, from {city}",
            new
            {
                type = "user",
                name = person,
                age,
                email = $"{person.Replace(' ', '.').ToLowerInvariant()}@example.com",
                address = new { city, verified = true },
                roles = Roles,
                active = true,
            }
        );
    }

    private static Document Order(Dice dice, string person, string city, string thing, int number) =>
        Finish(
            dice,
            "order",
            $"an order of {number} {thing} for {person} in {city}",
            new
            {
                type = "order",
                customer = new { name = person, city },
                items = new[] { new { product = thing, quantity = number } },
                currency = "EUR",
                paid = true,
                status = "open",
            }
        );

    private static Document Sensor(Dice dice, string city, int number)
    {
        var (kind, unit) = dice.Pick(("temperature", "celsius"), ("humidity", "percent"), ("pressure", "hectopascal"));
        return Finish(
            dice,
            "sensor",
            $"a {kind} sensor number {number} in {city}",
            new
            {
                type = "sensor",
                id = number,
                location = city,
                measurement = new { quantity = kind, unit },
                interval = new { value = 60, unit = "seconds" },
                alarms = Array.Empty<string>(),
                active = true,
            }
        );
    }

    private static Document Book(Dice dice, string person)
    {
        var title = $"The {Capital(dice.Pick(Colours))} {Capital(dice.Pick(Things).One)}";
        return Finish(
            dice,
            "book",
            $"the book \"{title}\" by {person}",
            new
            {
                type = "book",
                title,
                author = person,
                language = "en",
                formats = Formats,
                available = true,
            }
        );
    }

    private static Document Event(Dice dice, string person, string city)
    {
        var kind = dice.Pick("concert", "meeting", "lecture", "workshop");
        var seats = dice.Number(2, 30) * 10;
        return Finish(
            dice,
            "event",
            $"a {kind} with {person} in {city} for {seats} people",
            new
            {
                type = "event",
                kind,
                speaker = person,
                place = new { city, seats },
                tickets = new { price = 0, currency = "EUR" },
                @public = true,
            }
        );
    }

    private static Document Finish(Dice dice, string type, string description, object record)
    {
        var json = JsonSerializer.Serialize(record, Indented);
        return dice.OneIn(2)
            ? Document.Chat(
                Name,
                dice.Pick(
                    $"Write a JSON record for {description}.",
                    $"Give me JSON for {description}.",
                    $"Create a JSON object that describes {description}."
                ),
                json
            )
            : Document.Plain(Name, $"Record type: {type}\nDescription: {description}\nJSON:\n", json);
    }
}

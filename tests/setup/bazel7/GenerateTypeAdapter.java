package com.ryanharter.auto.value.gson;

import com.google.gson.Gson;
import com.google.gson.TypeAdapter;
import com.google.gson.TypeAdapterFactory;
import com.google.gson.reflect.TypeToken;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonWriter;
import java.io.IOException;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What Debian's Bazel 7 lacks to write and read MODULE.bazel.lock: it was made without the code that a generator makes
 * for each of the types in that file, which have this annotation. This finds the properties of such a type while it
 * runs instead. What is recorded, compared and refused is Bazel's own.
 */
@Retention(RetentionPolicy.RUNTIME)
public @interface GenerateTypeAdapter {
  /** Where Bazel looks for the missing code. */
  TypeAdapterFactory FACTORY = new Values();

  /** Makes adapters for types that AutoValue has implemented. */
  final class Values implements TypeAdapterFactory {
    @Override
    public <T> TypeAdapter<T> create(Gson gson, TypeToken<T> type) {
      Class<?> raw = type.getRawType();
      if (!raw.isAnnotationPresent(GenerateTypeAdapter.class)) {
        return null;
      }
      try {
        String name = raw.getName().substring(raw.getPackageName().length() + 1).replace('$', '_');
        Class<?> made = Class.forName(raw.getPackageName() + ".AutoValue_" + name, true, raw.getClassLoader());
        return new Value<T>(gson, raw, made);
      } catch (ClassNotFoundException e) {
        return null; // Gson knows it without
      }
    }
  }

  /** Writes the properties of a value as an object. */
  final class Value<T> extends TypeAdapter<T> {
    private final Constructor<?> constructor;
    private final List<Field> fields = new ArrayList<>();
    private final Map<String, TypeAdapter<?>> adapters = new HashMap<>();

    Value(Gson gson, Class<?> raw, Class<?> made) {
      constructor = made.getDeclaredConstructors()[0];
      constructor.setAccessible(true);
      Class<?> holder = made;
      while (holder.getSuperclass() != raw) {
        holder = holder.getSuperclass(); // the other one remembers what is derived
      }
      for (Field field : holder.getDeclaredFields()) {
        if (!Modifier.isStatic(field.getModifiers())) {
          field.setAccessible(true);
          fields.add(field);
          adapters.put(field.getName(), gson.getAdapter(TypeToken.get(field.getGenericType())));
        }
      }
    }

    @Override
    @SuppressWarnings("unchecked")
    public void write(JsonWriter out, T value) throws IOException {
      out.beginObject();
      for (Field field : fields) {
        out.name(field.getName());
        try {
          ((TypeAdapter<Object>) adapters.get(field.getName())).write(out, field.get(value));
        } catch (IllegalAccessException e) {
          throw new IOException(e);
        }
      }
      out.endObject();
    }

    @Override
    @SuppressWarnings("unchecked")
    public T read(JsonReader in) throws IOException {
      Map<String, Object> found = new HashMap<>();
      in.beginObject();
      while (in.hasNext()) {
        String name = in.nextName();
        if (adapters.containsKey(name)) {
          found.put(name, adapters.get(name).read(in));
        } else {
          in.skipValue();
        }
      }
      in.endObject();
      List<Object> arguments = new ArrayList<>();
      for (Field field : fields) {
        Object absent = field.getType() == Optional.class ? Optional.empty() : null;
        arguments.add(found.getOrDefault(field.getName(), absent));
      }
      try {
        return (T) constructor.newInstance(arguments.toArray());
      } catch (ReflectiveOperationException e) {
        throw new IOException(e);
      }
    }
  }
}
